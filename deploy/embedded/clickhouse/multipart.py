"""multipart/form-data, which drivers use when a query or its parameters are too long for the URL."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.embedded.clickhouse.errors import ClickHouseError

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILE = re.compile(rb'\bfilename="([^"]*)"')


@dataclass(frozen=True)
class Part:
    name: str
    content: bytes
    file: bool


def parts(content_type: str, body: bytes) -> Iterator[Part]:
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ClickHouseError(117, "The multipart body has no boundary in its Content-Type.")
    delimiter = b"\r\n--" + boundary.group(1).encode()
    for section in (b"\r\n" + body).split(delimiter)[1:]:
        head, blank, content = section.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if blank and name:
            yield Part(name.group(1).decode(), content, file=_FILE.search(head) is not None)
