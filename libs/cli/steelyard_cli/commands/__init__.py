"""One module a command: ask a service, show its answer."""
