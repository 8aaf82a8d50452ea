"""One line of logfmt on stderr for each thing a service says."""

from __future__ import annotations

import logging
import sys

import structlog

SPELL_SECONDS = 10.0


class OncePerSpell(logging.Filter):
    """Lets a library say the same thing once in `SPELL_SECONDS`: a Kafka client repeats itself ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this was not said lately."""
        what = (record.name, str(record.msg))
        if record.created - self._said.get(what, -SPELL_SECONDS) < SPELL_SECONDS:
            return False
        self._said[what] = record.created
        return True


def configure_logs(service: str, level: str) -> None:
    """Send structlog and the libraries' logging to stderr; `level` is a name such as INFO."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="service=" + service + " level=%(levelname)s from=%(name)s event=%(message)r",
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerSpell())
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
