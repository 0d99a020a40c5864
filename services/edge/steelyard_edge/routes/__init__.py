"""Handlers: one call and one view each."""
