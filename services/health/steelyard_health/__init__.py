"""Health: which offers answer well now."""
