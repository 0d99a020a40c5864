"""Between the router's own messages and the domain: checked on the way in, built on the way out."""
