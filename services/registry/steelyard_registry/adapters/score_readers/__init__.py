"""Readers of leaderboards and benchmark tables: from a body to observations."""
