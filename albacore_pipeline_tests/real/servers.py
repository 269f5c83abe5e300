"""Real servers for the tests, on loopback only, each in a process group of its own that ends with its test.

Belongs here: how a server is configured, started, known to be ready, and ended.
Does not belong here: the data that it serves; generators are beside this module.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt
import httpx
import psutil


class ServerFailure(Exception):
    """A real server cannot be had. One line: the cause and the mend."""


@dataclass(frozen=True, kw_only=True)
class RealServer:
    """A server that answers, and who may ask it."""

    url: str
    username: str
    password: str = field(repr=False)

    def client(self) -> httpx.Client:
        """A client that knows the password."""
        return httpx.Client(base_url=self.url, auth=(self.username, self.password), timeout=30)


def program(name: str, *, package: str) -> str:
    """The path of an installed program. Raises ServerFailure: without its server a test has failed."""
    path = shutil.which(name)
    if path is None:
        raise ServerFailure(f"{name} is not installed: apt-get install --no-install-recommends {package}")
    return path


def free_port() -> int:
    """A port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str | Path], *, ready: Callable[[], bool], log: Path, patience: float = 60
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when `ready` says so.

    Raises ServerFailure with the server's last word where it never does. `ready` may raise httpx.TransportError while
    nobody listens yet. `patience` is in seconds.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + patience
        while not _is_ready(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailure(f"{command[0]} did not get ready: {_last_line(log)} (see {log})")
            time.sleep(0.05)
        yield
    finally:
        _end_group(process)


def _is_ready(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except httpx.TransportError:
        return False


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]


def _end_group(leader: subprocess.Popen[bytes], *, patience: float = 20) -> None:
    """Ask the whole group to end, then insist: workers may outlive their leader. Raises ServerFailure."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # the group ended by itself
            os.killpg(leader.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if leader.poll() is not None and not _lives(leader.pid):
                return
            time.sleep(0.02)
    raise ServerFailure(f"the process group {leader.pid} does not end: end it by hand")


def _lives(group: int) -> bool:
    """Whether a process of the group is more than a zombie that nobody has fetched."""
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
    return False


@contextmanager
def prometheus(*, folder: Path, openmetrics: Path) -> Iterator[RealServer]:
    """A Prometheus that holds the readings of an OpenMetrics file, behind basic authentication."""
    server = RealServer(url=f"http://127.0.0.1:{free_port()}", username="billing", password=secrets.token_urlsafe(12))
    binary = program("prometheus", package="prometheus")
    data = folder / "data"
    _load_blocks(openmetrics, data)
    hashed = bcrypt.hashpw(server.password.encode(), bcrypt.gensalt(rounds=4)).decode()
    web, config = folder / "web.yml", folder / "prometheus.yml"
    web.write_text(f'basic_auth_users: {{{server.username}: "{hashed}"}}\n')
    config.write_text("global: {scrape_interval: 1h}\n")
    command = [
        binary,
        f"--config.file={config}",
        f"--web.config.file={web}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={server.url.removeprefix('http://')}",
    ]
    with (
        server.client() as client,
        running(command, ready=lambda: client.get("/-/ready").is_success, log=folder / "prometheus.log"),
    ):
        yield server


def _load_blocks(openmetrics: Path, data: Path) -> None:
    """Write the readings as Prometheus's own blocks; long ones, or a month would take minutes."""
    command = [program("promtool", package="prometheus"), "tsdb", "create-blocks-from", "--max-block-duration=768h"]
    loaded = subprocess.run([*command, "openmetrics", openmetrics, data], capture_output=True, text=True)
    if loaded.returncode:
        raise ServerFailure(f"promtool refused {openmetrics}: {(loaded.stderr.strip().splitlines() or ['?'])[-1]}")
