"""Where the health service keeps what it was told."""
