"""What every service needs to be run: declared metrics, logs, health endpoints, problem details."""
