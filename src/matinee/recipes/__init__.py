"""The catalogue: recipe name to model, defaults, ranges and what it needs."""
