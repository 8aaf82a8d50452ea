"""The socket: reads frames, starts one task per request, writes the answers in the order of the requests.

Requests of one connection may overlap: produces share a commit, a waiting fetch delays only its own connection.
Not implemented: anything but 127.0.0.1, TLS, SASL, quotas.
"""

import asyncio
import logging
from dataclasses import replace

from deploy.embedded.kafka.broker import Broker, Caller
from deploy.embedded.kafka.registry import served, unsupported_api_versions
from deploy.embedded.kafka.store import StorageFailure
from deploy.embedded.kafka.wire import (
    ProtocolViolation,
    RequestHeader,
    decode_request,
    encode_response,
    read_frame,
    read_header,
)

_PIPELINED = 32
_BUFFER = 1 << 20
_DRAIN_SECONDS = 0.5
_log = logging.getLogger(__name__)

Answers = asyncio.Queue[asyncio.Task[bytes]]


class Server:
    """Call `serve` with the broker that knows the socket's address; `close` answers what it can, then hangs up."""

    def __init__(self) -> None:
        self._connections: dict[asyncio.Task[None], Answers] = {}

    async def listen(self, host: str, port: int) -> int:
        self._ready: asyncio.Future[Broker] = asyncio.get_running_loop().create_future()
        self._listener = await asyncio.start_server(self._connected, host, port, limit=_BUFFER)
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    def serve(self, broker: Broker) -> None:
        self._ready.set_result(broker)

    async def close(self) -> None:
        self._listener.close()
        answered = [asyncio.create_task(answers.join()) for answers in self._connections.values()]
        if answered:
            _, late = await asyncio.wait(answered, timeout=_DRAIN_SECONDS)
            for task in (*late, *self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, *late, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker = await self._ready
        task = asyncio.current_task()
        assert task is not None
        answers = self._connections[task] = Answers(_PIPELINED)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(answers, writer))
                await _read(broker, reader, writer, answers, tasks)
        except* (asyncio.IncompleteReadError, ConnectionError, StorageFailure):
            pass  # the peer hung up, or this broker is about to
        except* ProtocolViolation as violations:
            _log.warning("closed a connection: %s", violations.exceptions[0])
        except* Exception:
            _log.exception("closed a connection after an error of this broker")
        finally:
            del self._connections[task]
            broker.groups.orphan(writer, broker.now())
            writer.close()


async def _read(
    broker: Broker,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: Answers,
    tasks: asyncio.TaskGroup,
) -> None:
    try:
        while True:
            frame = await read_frame(reader)
            await answers.put(tasks.create_task(_answer(broker, frame, writer)))
    except asyncio.IncompleteReadError:
        await asyncio.sleep(0)  # what was sent before hanging up is still begun
        raise


async def _write(answers: Answers, writer: asyncio.StreamWriter) -> None:
    while True:
        answer = await answers.get()
        writer.write(await answer)
        await writer.drain()
        answers.task_done()


async def _answer(broker: Broker, frame: bytes, connection: object) -> bytes:
    header = read_header(frame)
    api = served(header)
    if api is None:
        return _unserved(header)
    request = decode_request(api.request, header, frame)
    response = await api.handler(broker, request, Caller(header.client_id, connection, header.version))
    return b"" if response is None else encode_response(response, header)


def _unserved(header: RequestHeader) -> bytes:
    advertisement = unsupported_api_versions(header)
    if advertisement is None:
        raise ProtocolViolation(f"API {header.api_key} version {header.version} was never advertised")
    return encode_response(advertisement, replace(header, version=0))
