"""Domain values from and to protobuf messages."""
