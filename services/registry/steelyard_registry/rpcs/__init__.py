"""The calls of the registry, one file for each kind; `servicer.py` puts them together."""
