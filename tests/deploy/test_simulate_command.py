"""`aftertouch simulate` at the terminal."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.deploy.terminal import aftertouch, now, start
from tests.ingest.serving import MemoryPublisher, serving

KEY = ("--key", "sk_writer")


async def test_posts_says_what_is_planted_and_sums_up() -> None:
    memory = MemoryPublisher()
    async with serving(memory, clock=now) as url:
        run = await aftertouch("simulate", "--url", url, *KEY, "--duration", "1", "--rate", "300")
    assert run.code == 0, run.err
    assert "Planted drop: " in run.out
    assert "UTC" in run.out
    assert run.row("sent") == run.row("accepted") == len(memory.events) > 200


async def test_takes_the_key_from_the_data_directory_and_can_send_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "dev-keys.json").write_text(json.dumps({"server": "sk_writer"}))
    memory = MemoryPublisher()
    async with serving(memory, clock=now) as url:
        options = ("--duration", "1", "--rate", "30", "--batch", "1", "--no-drop")
        run = await aftertouch("simulate", "--url", url, *options, env={"AFTERTOUCH_DATA": str(tmp_path)})
    assert run.code == 0, run.err
    assert "No drop is planted." in run.out
    assert len(memory.events) == run.row("accepted") > 10


async def test_ends_with_a_summary_on_ctrl_c() -> None:
    memory = MemoryPublisher()
    async with serving(memory, clock=now) as url:
        process = await start("simulate", "--url", url, *KEY, "--rate", "200")
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err


async def test_an_unreachable_server_is_one_sentence() -> None:
    run = await aftertouch("simulate", "--url", "http://127.0.0.1:9", *KEY)
    assert run.code == 1
    assert run.err.startswith("aftertouch: Nothing answers at http://127.0.0.1:9")
    assert run.err.count("\n") == 1


async def test_a_refused_key_is_one_sentence() -> None:
    async with serving(MemoryPublisher(), clock=now) as url:
        run = await aftertouch("simulate", "--url", url, "--key", "sk_nobody", "--duration", "1")
    assert run.code == 1
    assert (
        run.err
        == "aftertouch: The server refused the request (401 key_unknown): the key is not known here.\n"
    )


async def test_without_a_key_it_says_where_to_get_one() -> None:
    run = await aftertouch("simulate")
    assert run.code == 2
    assert "--key" in run.err
