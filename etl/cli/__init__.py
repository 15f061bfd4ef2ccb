"""argv → text and an exit code: START HERE for the commands. `main` holds the group and the error boundary."""
