"""Runs one Apache Kafka node (KRaft) on loopback for the tests, from the jars that pom.xml brings.

`python deploy/apache-kafka/run.py --data DIR [--port N]` writes DIR/pid and DIR/endpoint (host:port) when it is
ready, stops it on SIGTERM or Ctrl-C, and ends when it dies. What it cannot do is one sentence and exit code 2.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
JARS = HERE / "target" / "dependency"
CLUSTER = "YWZ0ZXJ0b3VjaC10ZXN0cw"
READY_SECONDS = 60.0
STOP_SECONDS = 20.0

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
controlled.shutdown.enable=false
"""


def main() -> int:
    """Fetch the jars if need be, format the storage once, run the node until told to stop."""
    options = _options()
    data = options.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    (data / "endpoint").unlink(missing_ok=True)
    try:
        java = _program("java", "openjdk-17-jre-headless")
        _fetch_jars()
        port = options.port or _free_port()
        properties = _write_properties(data, port)
        _format(java, properties, data)
        return _serve(java, properties, data, port)
    except RuntimeError as problem:
        print(f"apache-kafka: {problem}", file=sys.stderr)
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="where the node keeps its log")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    return parser.parse_args()


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(
            f"{name} is not installed: `apt-get install {package}` (make test-kafka does it as root)"
        )
    return found


def _fetch_jars() -> None:
    """Bring the jars unless those of this pom.xml are there."""
    pom = HERE / "pom.xml"
    stamp = JARS / ".pom.xml"
    if stamp.is_file() and stamp.read_bytes() == pom.read_bytes():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    command = [_program("mvn", "maven"), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    done = subprocess.run([*command, "-DincludeScope=runtime"], check=False)
    if done.returncode:
        raise RuntimeError(
            f"mvn could not bring Apache Kafka's jars (exit code {done.returncode}), see above"
        )
    stamp.write_bytes(pom.read_bytes())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _write_properties(data: Path, port: int) -> Path:
    file = data / "server.properties"
    file.write_text(
        PROPERTIES.format(port=port, controller=_free_port(), logs=data / "logs"), encoding="utf-8"
    )
    return file


def _java(java: str, main_class: str, *arguments: str) -> list[str]:
    return [java, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{JARS}/*", main_class, *arguments]


def _format(java: str, properties: Path, data: Path) -> None:
    if (data / "logs" / "meta.properties").exists():
        return
    command = _java(java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(properties))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the storage could not be formatted: {done.stdout}{done.stderr}")


def _serve(java: str, properties: Path, data: Path, port: int) -> int:
    broker = subprocess.Popen(_java(java, "kafka.Kafka", str(properties)), start_new_session=True)

    def stop(number: int, frame: FrameType | None) -> None:
        broker.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        _await_port(broker, port)
        (data / "pid").write_text(str(broker.pid), encoding="utf-8")
        (data / "endpoint").write_text(f"127.0.0.1:{port}", encoding="utf-8")
        print(f"apache-kafka: listening on 127.0.0.1:{port}, process {broker.pid}", flush=True)
        code = broker.wait()
    finally:
        (data / "endpoint").unlink(missing_ok=True)
        _end(broker)
    return 0 if code in (0, 143, -signal.SIGTERM) else 1


def _await_port(broker: subprocess.Popen[bytes], port: int) -> None:
    """The listener opens for clients when the broker has caught up with its controller."""
    deadline = time.monotonic() + READY_SECONDS
    while broker.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(
        f"the broker did not open port {port} within {READY_SECONDS:.0f} s, see its output above"
    )


def _end(broker: subprocess.Popen[bytes]) -> None:
    broker.terminate()
    try:
        broker.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()


if __name__ == "__main__":
    sys.exit(main())
