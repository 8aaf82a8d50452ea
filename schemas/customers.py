"""One answer of a named customer, as the windows worker counted it: the messages of feedback.customers."""

from __future__ import annotations

from msgspec import Struct

from schemas.scoring import Metric
from schemas.signals import Contact


class CustomerAnswer(Struct, frozen=True, kw_only=True):
    """A counted answer of a customer with an id; imported ones are not among them.

    Where it stands on feedback.events is its identity: a message that comes again has the same.
    """

    workspace: str
    touchpoint: str
    metric: Metric
    contact: Contact
    src_partition: int
    src_offset: int
