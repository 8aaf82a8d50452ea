"""Measures the windows worker beside what its users would pick instead, on the same messages from one Kafka."""
