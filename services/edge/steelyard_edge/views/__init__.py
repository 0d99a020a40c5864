"""Pure functions from protobuf messages to what JSON shows of them."""
