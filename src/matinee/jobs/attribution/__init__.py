"""Metric attribution: what recommendations led to, added up by metric, source and window of 15 minutes."""
