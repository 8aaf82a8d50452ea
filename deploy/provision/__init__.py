"""Makes Kafka and ClickHouse ready for the services: the topics and the tables declared in schemas/."""
