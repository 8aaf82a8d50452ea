"""What every service needs to be run: declared metrics, logs, and the health endpoints."""
