"""gRPC methods, a module for each group."""
