"""Tests of the command and of the supervisor behind it."""
