"""kafka-python reads its schemas in a way that Python 3.11 calls deprecated: loaded here once, without the warning."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.protocol import admin, consumer, metadata, producer

__all__ = ["admin", "consumer", "metadata", "producer"]
