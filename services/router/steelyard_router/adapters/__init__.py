"""What the router touches: other services, its database, the platform's keys."""
