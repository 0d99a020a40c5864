"""Registry: which models and providers exist, and how good they are."""
