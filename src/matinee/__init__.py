"""Matinee: an open, self-hosted recommender that speaks Amazon Personalize's API."""

from importlib.metadata import version

__version__ = version("matinee")
