"""The calls of the pricing service, one file for each kind; `servicer.py` puts them together."""
