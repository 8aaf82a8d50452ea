"""Who is measured: for each its program, the environment it runs in, and how its updates read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from schemas.topics import SCORES
from tests.bench.peers.updates import Reader, read_hopped, read_rolled, read_scores
from tests.stack import ROOT

HERE = Path(__file__).resolve().parent
JAVA = HERE / "kafka-streams"
CACHE = ROOT / "build" / "peers"
FLOWS = "tests.bench.peers.flows"
OURS, STREAMS = "aftertouch", "kafka-streams"


@dataclass(frozen=True)
class Contender:
    """One program. `venv` names its requirements file; '' is this environment, and Kafka Streams needs none.

    `read` is None for a floor: that has no output topic, ends by itself, and prints what it counted.
    `peer` is whose it is, `form` what it does.
    """

    name: str
    peer: str
    form: str
    arguments: tuple[str, ...]
    venv: str = ""
    read: Reader | None = read_rolled

    def command(self, state: Path) -> list[str]:
        """The command line."""
        if self.peer == "Kafka Streams":
            classes = f"{JAVA}/target/classes:{JAVA}/target/dependency/*"
            quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
            return ["java", "-Xmx1g", quiet, "-cp", classes, *self.arguments]
        recovery = ["-r", str(state), "-s", "10", "-b", "0"] if self.venv == "bytewax" else []
        return [str(python_of(self.venv)), "-m", *self.arguments, *recovery]

    def output(self, run: str) -> str:
        """The topic its updates go to."""
        return SCORES.name if self.name == OURS else f"peers.{self.name}.{run}"

    def prepare(self, state: Path) -> None:
        """What has to be there before it starts."""
        state.mkdir(parents=True)
        if self.venv == "bytewax":
            command = [str(python_of(self.venv)), "-m", "bytewax.recovery", str(state), "1"]
            subprocess.run(command, check=True)


CONTENDERS = (
    Contender(
        "bare-confluent",
        "bare confluent-kafka loop",
        "decodes and counts",
        (f"{FLOWS}.bare_confluent",),
        "confluent",
        None,
    ),
    Contender(
        "bare-aiokafka", "bare aiokafka loop", "decodes and counts", (f"{FLOWS}.bare_aiokafka",), "", None
    ),
    Contender(OURS, "Aftertouch", "windows worker", ("services.aggregator", "windows"), "", read_scores),
    Contender("kafka-streams", "Kafka Streams", "minute panes in aggregate()", ("Peer", "panes")),
    Contender("quix", "Quix Streams", "minute panes in state", (f"{FLOWS}.quix_panes",), "quix"),
    Contender(
        "bytewax",
        "Bytewax",
        "minute panes in stateful_map",
        ("bytewax.run", f"{FLOWS}.bytewax_panes:flow"),
        "bytewax",
    ),
    Contender("pathway", "Pathway", "minute panes by groupby", (f"{FLOWS}.pathway_panes",), "pathway"),
)
"""Each in the form that does it the least work."""

IDIOMATIC = (
    Contender(
        "kafka-streams-hopping", "Kafka Streams", "its hopping windows", ("Peer", "hopping"), "", read_hopped
    ),
    Contender(
        "quix-hopping",
        "Quix Streams",
        "its hopping windows",
        (f"{FLOWS}.quix_hopping",),
        "quix",
        read_hopped,
    ),
    Contender(
        "bytewax-sliding",
        "Bytewax",
        "its sliding windows",
        ("bytewax.run", f"{FLOWS}.bytewax_sliding:flow"),
        "bytewax",
        read_hopped,
    ),
    Contender(
        "pathway-sliding",
        "Pathway",
        "its sliding windows",
        (f"{FLOWS}.pathway_sliding",),
        "pathway",
        read_hopped,
    ),
)
"""The engines' own windows of 5 min, 1 h and 24 h at one-minute hops: 1,505 windows an answer."""


def python_of(name: str) -> Path:
    """The interpreter of an environment."""
    return CACHE / name / "bin" / "python" if name else Path(sys.executable)


def install(contenders: tuple[Contender, ...]) -> None:
    """Bring what these need into build/peers and the Maven project's target, unless it is there."""
    for name in sorted({c.venv for c in contenders} - {""}):
        _install_python(name)
    if any(c.peer == "Kafka Streams" for c in contenders):
        _build_java()


def _install_python(name: str) -> None:
    requirements, stamp = HERE / f"requirements-{name}.txt", CACHE / name / ".installed"
    if stamp.is_file() and stamp.read_bytes() == requirements.read_bytes():
        return
    print(f"installing {requirements.name} ...", file=sys.stderr, flush=True)
    shutil.rmtree(CACHE / name, ignore_errors=True)
    venv.create(CACHE / name, with_pip=True)
    command = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "-r", str(requirements)], check=True)
    stamp.write_bytes(requirements.read_bytes())


def _build_java() -> None:
    sources, stamp = (JAVA / "pom.xml", JAVA / "src/main/java/Peer.java"), JAVA / "target" / ".built"
    wanted = b"".join(source.read_bytes() for source in sources)
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return
    command = ["mvn", "-q", "-B", "-f", str(JAVA / "pom.xml"), "compile", "dependency:copy-dependencies"]
    subprocess.run([*command, "-DincludeScope=runtime"], check=True)
    stamp.write_bytes(wanted)


def environment(
    contender: Contender, bootstrap: str, output: str, state: Path, events: int
) -> dict[str, str]:
    """What a contender's process is told."""
    told = {
        "PEERS_BOOTSTRAP": bootstrap,
        "PEERS_OUTPUT": output,
        "PEERS_STATE": str(state),
        "PEERS_EVENTS": str(events),
        "PATHWAY_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    if contender.name == OURS:
        told |= {
            "KAFKA_BOOTSTRAP": bootstrap,
            "AGGREGATOR_DATA_DIR": str(state),
            "AGGREGATOR_PORT": "18902",
            "AGGREGATOR_LOG_LEVEL": "ERROR",
        }
    return dict(os.environ) | told
