"""Tests of the REST edge, through real HTTP against fakes behind real gRPC servers."""
