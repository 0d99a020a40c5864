"""Edge: a thin REST translator without state."""
