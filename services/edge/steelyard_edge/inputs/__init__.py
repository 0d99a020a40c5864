"""What clients send: typed bodies, and the protobuf messages that they become."""
