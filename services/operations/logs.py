"""One line of logfmt on stderr for each thing a service says."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(service: str, level: str) -> None:
    """Send structlog and the libraries' logging to stderr; `level` is a name such as INFO."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="service=" + service + " level=%(levelname)s from=%(name)s event=%(message)r",
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "service", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
