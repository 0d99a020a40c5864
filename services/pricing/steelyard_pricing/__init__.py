"""Pricing: what a model call costs."""
