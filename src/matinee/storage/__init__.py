"""SQL metadata, objects and cache: one protocol each, one file a backend."""
