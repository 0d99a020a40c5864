"""What the registry touches: feeds, files of its own, the health service."""
