"""How the router decides: pure functions of values, without I/O, clock or randomness."""
