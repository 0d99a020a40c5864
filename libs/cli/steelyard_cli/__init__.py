"""The steelyard command and the supervisor behind it."""
