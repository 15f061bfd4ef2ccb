"""Memory between runs: runs, deliveries, and the last confirmed payload of every key."""
