"""The statistics of online experiments: who gets which arm, and what can be said at any look. Arrays in, values out."""
