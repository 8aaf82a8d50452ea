"""What one flush of the customers worker writes to Kafka: signals, and the state it restores itself from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from schemas.topics import CUSTOMER_STATE
from services.aggregator import records
from services.aggregator.contacts import Customer
from services.aggregator.customers import CustomerName, CustomersPartition, Mark
from services.aggregator.records import Record

CUSTOMER_PREFIX, MARK_PREFIX = "customer", "mark"

_pack = msgspec.msgpack.Encoder().encode
_customer = msgspec.msgpack.Decoder(Customer)
_mark = msgspec.msgpack.Decoder(Mark)


def outputs(partition: CustomersPartition, as_of: datetime) -> list[Record]:
    """The signals, all on the partition with the customers' number: those of one customer are read in order."""
    return records.signals(partition.number, partition.take_signals())


noticed = outputs
"""All of it cannot wait."""


def state(partition: CustomersPartition) -> Iterator[Record]:
    """The changed customers, tombstones for the forgotten ones, and how far the partition has come."""

    def record(key: bytes, value: Any) -> Record:
        return Record(CUSTOMER_STATE.name, partition.number, key, None if value is None else _pack(value))

    unsaved = partition.take_unsaved()
    for name in unsaved.forgotten:
        yield record(_customer_key(name), None)
    for mark in unsaved.forgotten_marks:
        yield record(_mark_key(mark), None)
    for name in unsaved.customers:
        yield record(_customer_key(name), partition.customers[name])
    if partition.next != partition.committed:
        yield record(_mark_key(partition.next), partition.marks[partition.next])


def restore(partition: CustomersPartition, saved: Iterator[tuple[bytes, bytes]]) -> None:
    """Put the newest state records, key and value, back into an empty partition."""
    customers: dict[CustomerName, Customer] = {}
    marks: dict[int, Mark] = {}
    for key, value in saved:
        kind, _, rest = key.decode().partition("/")
        if kind == MARK_PREFIX:
            marks[int(rest)] = _mark.decode(value)
        else:
            customers[_name_of(rest)] = _customer.decode(value)
    partition.restore(customers, marks)


def mark_for_rewrite(partition: CustomersPartition, key: bytes) -> None:
    """Have the next flush write this state record again."""
    kind, _, rest = key.decode().partition("/")
    if kind == CUSTOMER_PREFIX:
        partition.unsaved.customers.add(_name_of(rest))


def _customer_key(name: CustomerName) -> bytes:
    return f"{CUSTOMER_PREFIX}/{name[0]}/{name[1]}".encode()


def _name_of(text: str) -> CustomerName:
    workspace, _, customer_id = text.partition("/")
    return workspace, customer_id


def _mark_key(offset: int) -> bytes:
    return f"{MARK_PREFIX}/{offset}".encode()
