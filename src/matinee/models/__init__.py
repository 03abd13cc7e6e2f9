"""Models: arrays in, scores out. Knows no SQL, web, Redis or recipe names."""
