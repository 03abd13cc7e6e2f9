"""The filter language: grammar, type check, evaluation over columns."""
