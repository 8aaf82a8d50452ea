"""The three services. Each imports schemas, services.operations and itself, never another service."""
