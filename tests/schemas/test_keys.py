"""The keys file: what is written is read back, a secret finds its key, and a broken file says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import Key, KeyRing, digest, read_keys, write_keys

SERVER = Key(name="server", sha256=digest("sk_one"), workspace="default", scopes=["write", "read"])
IMPORT = Key(name="import", sha256=digest("sk_two"), workspace="default", scopes=["write", "import"])


def test_keys_written_are_keys_read() -> None:
    ring = read_keys(write_keys([SERVER, IMPORT]))

    assert ring.find("sk_one") == SERVER
    assert ring.find("sk_two") == IMPORT


@given(st.text())
def test_only_the_secret_finds_the_key(secret: str) -> None:
    assert KeyRing({SERVER.sha256: SERVER}).find(secret) == (SERVER if secret == "sk_one" else None)


def test_the_file_does_not_tell_the_secret() -> None:
    assert b"sk_one" not in write_keys([SERVER])


def test_a_secret_is_kept_as_its_sha256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        b'[{"name": "a"}]',
        write_keys([SERVER]).replace(b"default", b"Not a slug"),
        write_keys([SERVER]).replace(b'"read"', b'"everything"'),
        write_keys([SERVER]).replace(b'"name"', b'"nom"'),
        write_keys([SERVER]).replace(SERVER.sha256.encode(), b"sk_one"),
    ],
)
def test_a_broken_keys_file_says_so(file: bytes) -> None:
    with pytest.raises(ValueError, match="the keys file is not a JSON list of keys"):
        read_keys(file)
