"""Tests of the services as processes, from the outside."""
