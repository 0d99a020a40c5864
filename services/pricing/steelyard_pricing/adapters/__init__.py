"""Where prices come from and what is kept of them."""
