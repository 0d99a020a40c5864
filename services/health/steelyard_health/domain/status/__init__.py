"""What status pages say, read from bytes and judged."""
