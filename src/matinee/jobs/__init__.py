"""Durable background work and its recovery."""
