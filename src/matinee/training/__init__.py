"""From a data snapshot, a recipe and parameters to an artifact and its metrics."""
