"""Campaigns in memory: the request path, event intake, user state."""
