"""Data: schemas, reading and checking CSV, the interaction log, sources of data sets."""
