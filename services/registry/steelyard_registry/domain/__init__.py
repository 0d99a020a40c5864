"""Models, offers, providers and quality: pure rules, no I/O."""
