"""Raw frames: requests made with kafka-python's protocol classes, on a plain socket."""

import itertools
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from kafka.protocol.api_header import ResponseClassRegistry
from kafka.protocol.consumer import FetchRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest

from tests.embedded.kafka.process import until

NO_PRODUCER = (-1, -1, -1)
COORDINATOR_NOT_READY = (14, 15, 16)


class Wire:
    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self._correlation = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, request: Any) -> Any:
        """Sends a request (made with version=) and gives its header, by which to receive the answer."""
        request.with_header(next(self._correlation), "conformance")
        self.socket.sendall(request.encode(header=True, framed=True))
        return request.header

    def receive(self, header: Any) -> Any:
        (length,) = struct.unpack(">i", self._exactly(4))
        response = ResponseClassRegistry.get_response_class(header).decode(self._exactly(length), header=True)
        assert response.header.correlation_id == header.correlation_id
        return response

    def ask(self, request: Any) -> Any:
        return self.receive(self.send(request))

    def is_closed_by_peer(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _exactly(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            chunk = self.socket.recv(size - len(received))
            assert chunk, "the broker closed the connection"
            received += chunk
        return bytes(received)

    def ask_when_ready(self, request: Callable[[], Any]) -> Any:
        """Asks again while a coordinator, which Apache Kafka starts at its first use, is not there yet."""
        answers: list[Any] = []

        def answered() -> bool:
            answers.append(self.ask(request()))
            return answers[-1].error_code not in COORDINATOR_NOT_READY

        until(answered)
        return answers[-1]

    def new_producer_id(self) -> int:
        answer = self.ask_when_ready(
            lambda: InitProducerIdRequest(version=0, transactional_id=None, transaction_timeout_ms=0)
        )
        assert answer.error_code == 0
        return int(answer.producer_id)

    def produce(self, topic: str, records: bytes, acks: int = -1) -> tuple[int, int]:
        """Gives the error code and the base offset answered for partition 0."""
        answer = self.ask(produce_request(topic, records, acks))
        (partition,) = answer.responses[0].partition_responses
        return partition.error_code, partition.base_offset

    def fetch(self, topic: str, offset: int, **limits: int) -> Any:
        answer = self.ask(fetch_request(topic, offset, **limits))
        (partition,) = answer.responses[0].partitions
        return partition


def produce_request(topic: str, records: bytes, acks: int = -1, transactional_id: str | None = None) -> Any:
    data = ProduceRequest.TopicProduceData
    partition = data.PartitionProduceData(index=0, records=records)
    topics = [data(name=topic, partition_data=[partition])]
    return ProduceRequest(
        version=7, transactional_id=transactional_id, acks=acks, timeout_ms=5000, topic_data=topics
    )


def fetch_request(
    topic: str, offset: int, max_wait_ms: int = 0, min_bytes: int = 0, max_bytes: int = 1 << 20
) -> Any:
    asked = FetchRequest.FetchTopic
    partition = asked.FetchPartition(
        partition=0, fetch_offset=offset, partition_max_bytes=max_bytes, current_leader_epoch=-1
    )
    return FetchRequest(
        version=11,
        max_wait_ms=max_wait_ms,
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        topics=[asked(topic=topic, partitions=[partition])],
        forgotten_topics_data=[],
    )


def batch(*values: bytes, producer: tuple[int, int, int] = NO_PRODUCER, timestamp: int = 1) -> bytes:
    """One record batch; `producer` is id, epoch and first sequence number."""
    producer_id, epoch, sequence = producer
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=1 << 24,
    )
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=timestamp + offset, key=None, value=value, headers=[])
    return bytes(builder.build())


def base_offsets(records: bytes) -> list[int]:
    """Where the batches of a fetched byte string begin."""
    found, at = [], 0
    while at < len(records):
        base_offset, length = struct.unpack_from(">qi", records, at)
        found.append(base_offset)
        at += 12 + length
    return found
