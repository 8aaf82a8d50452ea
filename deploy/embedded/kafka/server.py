"""The socket: reads frames, starts one task per request, writes the answers in the order of the requests.

Requests of one connection may overlap: produces share a commit, a waiting fetch delays its own connection only.
Not implemented: anything but 127.0.0.1, TLS, SASL, quotas.
"""

import asyncio
import logging
import socket
import struct

from deploy.embedded.kafka.broker import Broker, Client
from deploy.embedded.kafka.registry import API_VERSIONS, REGISTRY, advertisement
from deploy.embedded.kafka.store import StorageFailure
from deploy.embedded.kafka.wire import Error, ProtocolViolation, decode_request, encode_response, read_frame

_HEADER = struct.Struct(">hhi")  # API key, version, correlation id
_PIPELINED = 32
_BUFFER = 1 << 20
_DRAIN_SECONDS = 0.5
_log = logging.getLogger(__name__)

Answers = asyncio.Queue[asyncio.Task[bytes]]


class Server:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._connections: dict[asyncio.Task[None] | None, Answers] = {}

    async def listen(self, listening: socket.socket) -> None:
        self._listener = await asyncio.start_server(self._serve, sock=listening, limit=_BUFFER)

    async def close(self) -> None:
        """Answers what can be answered now, waiting fetches too; then hangs up."""
        self._listener.close()
        self._broker.stopping.set()
        for partition in (each for topic in self._broker.topics for each in topic.partitions):
            partition.wake()
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await asyncio.gather(*(answers.join() for answers in self._connections.values()))
        except TimeoutError:
            pass  # members that wait for a rebalance are hung up on
        connections = [task for task in self._connections if task]
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker, task = self._broker, asyncio.current_task()
        answers = self._connections[task] = Answers(_PIPELINED)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(answers, writer))
                while True:
                    frame = await read_frame(reader)
                    await answers.put(tasks.create_task(_answer(broker, frame, writer)))
                    await asyncio.sleep(0)  # an append is begun even if its sender hangs up at once
        except* (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, StorageFailure):
            pass  # the peer hung up, or this broker is about to
        except* ProtocolViolation as violations:
            _log.warning("closed a connection that sent %s", violations.exceptions[0])
        except* Exception:
            _log.exception("closed a connection after an error of this broker")
        finally:
            del self._connections[task]
            broker.groups.orphan(writer, broker.now())
            writer.close()


async def _write(answers: Answers, writer: asyncio.StreamWriter) -> None:
    while True:
        answer = await answers.get()
        writer.write(await answer)
        await writer.drain()
        answers.task_done()


async def _answer(broker: Broker, frame: bytes, connection: object) -> bytes:
    key, version, correlation_id = _HEADER.unpack_from(frame)
    api = REGISTRY.get(key)
    if api is None or not api.min_version <= version <= api.max_version:
        if api is not API_VERSIONS:
            raise ProtocolViolation(f"API {key} version {version}, which was never advertised")
        return encode_response(api.response, 0, correlation_id, advertisement(Error.UNSUPPORTED_VERSION))
    request = decode_request(api.request, version, frame)
    answer = await api.handler(broker, request, Client(request.header.client_id or "", connection))
    return b"" if answer is None else encode_response(api.response, version, correlation_id, answer)
