"""Runs the five services as one: started, watched, restarted and stopped together."""
