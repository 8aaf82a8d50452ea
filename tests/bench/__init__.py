"""Measures what the README quotes: ratios of things run one after the other in one run."""
