"""What a service needs to be one: settings, server, channels, errors, feeds, telemetry."""
