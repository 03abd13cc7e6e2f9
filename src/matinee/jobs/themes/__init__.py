"""Themes of batch inference: a title for each list of related items, and how well each item fits it."""
