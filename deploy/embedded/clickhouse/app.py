"""The ASGI face: paths, bodies in, replies out; uvicorn calls it, the gateway answers."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from deploy.embedded.clickhouse.gateway import OK, Gateway, Reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PLAIN = {"Content-Type": "text/plain; charset=UTF-8"}
HEALTH = ("/ping", "/replicas_status")
QUERY = ("/", "/query")


def create_app(gateway: Gateway) -> App:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if body is not None:
            await _send(send, scope["method"], await _reply(gateway, scope, body))

    return app


async def _reply(gateway: Gateway, scope: Message, body: bytes) -> Reply:
    path, method = scope["path"], scope["method"]
    if path in HEALTH:
        return OK
    if path not in QUERY:
        sentence = (
            f"There is no handle {path}. Send queries to /, health checks to /ping or /replicas_status.\n"
        )
        return Reply(404, PLAIN, sentence.encode())
    if method not in ("GET", "HEAD", "POST"):
        return Reply(501, PLAIN, f"Method {method} is not supported: use GET or POST.\n".encode())
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return await gateway.answer("GET" if method == "HEAD" else method, scope["query_string"], headers, body)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if the client left."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, method: str, reply: Reply) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()
    ]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})
