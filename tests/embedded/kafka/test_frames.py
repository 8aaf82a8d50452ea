"""What single frames are answered, byte by byte where it matters; the same on Apache Kafka."""

import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kafka.protocol.consumer import JoinGroupRequest, ListOffsetsRequest
from kafka.protocol.metadata import ApiVersionsRequest, FindCoordinatorRequest, MetadataRequest

from tests.embedded.kafka.wire import Wire, base_offsets, batch, fetch_request, produce_request

NONE, OUT_OF_RANGE, CORRUPT, UNKNOWN_TOPIC, TOO_LARGE = 0, 1, 2, 3, 10
INVALID_ACKS, OUT_OF_ORDER, OLD_EPOCH, INVALID_RECORD = 21, 45, 47, 87


def test_batches_get_consecutive_offsets(wire: Wire, topic: str) -> None:
    assert wire.produce(topic, batch(b"a", b"b")) == (NONE, 0)
    assert wire.produce(topic, batch(b"c")) == (NONE, 2)


def test_fetch_gives_back_the_bytes_produced(wire: Wire, topic: str) -> None:
    sent = batch(b"a", b"b")
    wire.produce(topic, sent)
    fetched = wire.fetch(topic, 0)
    assert (fetched.high_watermark, fetched.last_stable_offset) == (2, 2)
    assert fetched.records[:12] == sent[:12]
    assert fetched.records[16:] == sent[16:]


def test_duplicate_answers_the_first_offset(wire: Wire, topic: str) -> None:
    producer_id = wire.new_producer_id()
    for sequence in range(5):
        wire.produce(topic, batch(b"x", producer=(producer_id, 0, sequence)))
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 0, 0))) == (NONE, 0)
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 0, 4))) == (NONE, 4)
    assert wire.fetch(topic, 0).high_watermark == 5


def test_sequence_gap_is_refused(wire: Wire, topic: str) -> None:
    producer_id = wire.new_producer_id()
    wire.produce(topic, batch(b"x", producer=(producer_id, 0, 0)))
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 0, 2)))[0] == OUT_OF_ORDER


def test_old_producer_epoch_is_refused(wire: Wire, topic: str) -> None:
    producer_id = wire.new_producer_id()
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 1, 0))) == (NONE, 0)
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 0, 0)))[0] == OLD_EPOCH


def test_new_epoch_begins_at_sequence_zero(wire: Wire, topic: str) -> None:
    producer_id = wire.new_producer_id()
    wire.produce(topic, batch(b"x", b"y", producer=(producer_id, 0, 0)))
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 1, 2)))[0] == OUT_OF_ORDER
    assert wire.produce(topic, batch(b"x", producer=(producer_id, 1, 0))) == (NONE, 2)


def test_producer_ids_differ(wire: Wire) -> None:
    assert wire.new_producer_id() != wire.new_producer_id()


def test_bad_checksum_is_refused(wire: Wire, topic: str) -> None:
    damaged = bytearray(batch(b"payload"))
    damaged[-1] ^= 0xFF
    assert wire.produce(topic, bytes(damaged))[0] == CORRUPT
    assert wire.fetch(topic, 0).high_watermark == 0


def test_two_batches_for_one_partition_are_refused(wire: Wire, topic: str) -> None:
    assert wire.produce(topic, batch(b"a") + batch(b"b"))[0] == INVALID_RECORD


def test_batch_over_the_limit_is_refused(wire: Wire, topic: str) -> None:
    assert wire.produce(topic, batch(bytes(1_100_000)))[0] == TOO_LARGE
    assert wire.produce(topic, batch(bytes(1_000_000)))[0] == NONE


def test_unknown_topic(wire: Wire) -> None:
    assert wire.produce("never-created", batch(b"a"))[0] == UNKNOWN_TOPIC
    assert wire.fetch("never-created", 0).error_code == UNKNOWN_TOPIC


def test_acks_must_be_a_known_number(wire: Wire, topic: str) -> None:
    assert wire.produce(topic, batch(b"a"), acks=2)[0] == INVALID_ACKS


def test_no_answer_to_acks_0(wire: Wire, topic: str) -> None:
    wire.send(produce_request(topic, batch(b"unanswered"), acks=0))
    assert wire.produce(topic, batch(b"answered")) == (NONE, 1)


def test_offset_out_of_range(wire: Wire, topic: str) -> None:
    wire.produce(topic, batch(b"a"))
    assert wire.fetch(topic, 2).error_code == OUT_OF_RANGE
    assert wire.fetch(topic, 1).error_code == NONE


def test_fetch_inside_a_batch_gives_the_batch(wire: Wire, topic: str) -> None:
    wire.produce(topic, batch(b"a"))
    wire.produce(topic, batch(b"b", b"c", b"d"))
    wire.produce(topic, batch(b"e"))
    assert base_offsets(wire.fetch(topic, 2).records) == [1, 4]


def test_tiny_limit_gives_one_batch(wire: Wire, topic: str) -> None:
    for _ in range(3):
        wire.produce(topic, batch(bytes(1000)))
    assert base_offsets(wire.fetch(topic, 1, max_bytes=1).records)[0] == 1


def test_limit_holds_after_the_first_batch(wire: Wire, topic: str) -> None:
    for _ in range(5):
        wire.produce(topic, batch(bytes(1000)))
    assert len(wire.fetch(topic, 0, max_bytes=2500).records) <= 2500


def test_waiting_fetch_wakes_with_an_append(kafka_endpoint: str, wire: Wire, topic: str) -> None:
    with Wire(kafka_endpoint) as producer:
        waiting = wire.send(fetch_request(topic, 0, max_wait_ms=8000, min_bytes=1))
        started = time.monotonic()
        producer.produce(topic, batch(b"news"))
        answer = wire.receive(waiting)
    assert base_offsets(answer.responses[0].partitions[0].records) == [0]
    assert time.monotonic() - started < 2


def test_fetch_waits_for_min_bytes(kafka_endpoint: str, wire: Wire, topic: str) -> None:
    with Wire(kafka_endpoint) as producer, ThreadPoolExecutor(1) as pool:
        waiting = wire.send(fetch_request(topic, 0, max_wait_ms=8000, min_bytes=1000))
        answer = pool.submit(wire.receive, waiting)
        producer.produce(topic, batch(b"too little"))
        producer.produce(topic, batch(bytes(2000)))
        records = answer.result().responses[0].partitions[0].records
    assert base_offsets(records) == [0, 1]


def test_fetch_answers_nothing_after_max_wait(wire: Wire, topic: str) -> None:
    started = time.monotonic()
    assert not wire.fetch(topic, 0, max_wait_ms=300, min_bytes=1).records
    assert 0.25 < time.monotonic() - started < 3


def test_pipelined_requests_are_answered_in_order(wire: Wire, topic: str) -> None:
    sent = [wire.send(produce_request(topic, batch(b"x"))) for _ in range(50)]
    answers = [wire.receive(header) for header in sent]
    offsets = [answer.responses[0].partition_responses[0].base_offset for answer in answers]
    assert offsets == list(range(50))


def test_offset_by_time_is_exact_inside_a_batch(wire: Wire, topic: str) -> None:
    wire.produce(topic, batch(b"a", b"b", b"c", timestamp=1000))
    wire.produce(topic, batch(b"d", b"e", timestamp=2000))
    found = [_offset_at(wire, topic, timestamp) for timestamp in (0, 1001, 1003, 2001, 2002)]
    assert found == [(0, 1000), (1, 1001), (3, 2000), (4, 2001), (-1, -1)]
    assert _offset_at(wire, topic, -3) == (4, 2001)


def _offset_at(wire: Wire, topic: str, timestamp: int) -> tuple[int, int]:
    asked = ListOffsetsRequest.ListOffsetsTopic
    partition = asked.ListOffsetsPartition(partition_index=0, timestamp=timestamp)
    topics = [asked(name=topic, partitions=[partition])]
    answer = wire.ask(ListOffsetsRequest(version=7, replica_id=-1, isolation_level=0, topics=topics))
    (found,) = answer.topics[0].partitions
    assert found.error_code == NONE
    return found.offset, found.timestamp


def _join_request(group: str, session_timeout_ms: int) -> Any:
    return JoinGroupRequest(
        version=5,
        group_id=group,
        session_timeout_ms=session_timeout_ms,
        rebalance_timeout_ms=6000,
        member_id="",
        protocol_type="consumer",
        protocols=[JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=b"")],
    )


def _joining(wire: Wire, group: str, session_timeout_ms: int) -> Any:
    wire.ask_when_ready(lambda: FindCoordinatorRequest(version=2, key=group, key_type=0))
    return wire.ask_when_ready(lambda: _join_request(group, session_timeout_ms))


def test_session_timeout_out_of_bounds_is_refused(wire: Wire) -> None:
    assert _joining(wire, "impatient", 100).error_code == 26


def test_new_member_is_given_its_id_first(wire: Wire) -> None:
    answer = _joining(wire, "newcomer", 6000)
    assert (answer.error_code, bool(answer.member_id)) == (79, True)


def test_unknown_version_of_api_versions_is_told_the_versions(wire: Wire) -> None:
    request = ApiVersionsRequest(version=4, client_software_name="x", client_software_version="1")
    request.with_header(1, "conformance")
    frame = bytearray(request.encode(header=True, framed=True))
    frame[6:8] = struct.pack(">h", 99)
    wire.socket.sendall(frame)
    header = wire.send(MetadataRequest(version=5, topics=[], allow_auto_topic_creation=False))
    (length,) = struct.unpack(">i", wire._exactly(4))
    error, keys = struct.unpack_from(">hi", wire._exactly(length), 4)
    assert error == 35
    assert keys > 0
    assert wire.receive(header).brokers


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        struct.pack(">i", 2_000_000_000),
        struct.pack(">ihhih", 10, 3, 1, 1, 500),
    ],
    ids=["http", "2 GB frame", "garbage"],
)
def test_what_is_not_kafka_is_hung_up_on(wire: Wire, kafka_endpoint: str, sent: bytes) -> None:
    wire.socket.sendall(sent)
    assert wire.is_closed_by_peer()
    with Wire(kafka_endpoint) as another:
        assert another.ask(MetadataRequest(version=5, topics=[], allow_auto_topic_creation=False)).brokers
