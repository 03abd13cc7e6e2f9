"""The filter language: grammar, type check, evaluation over columns."""

from matinee.filters.checking import check
from matinee.filters.parsing import parse

__all__ = ["check", "parse"]
