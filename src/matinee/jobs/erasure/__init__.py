"""Deleting users: what a dataset group holds of them, store by store."""
