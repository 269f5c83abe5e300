"""Real servers for the tests, on loopback only, each in a process group of its own that ends with its test.

Belongs here: how a server is configured, started, known to be ready, and ended.
Does not belong here: the data that it serves; generators are beside this module.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil


class ServerFailure(Exception):
    """A real server cannot be had. One line: the cause and the mend."""


@dataclass(frozen=True, kw_only=True)
class RealServer:
    """A server that answers, and who may ask it."""

    url: str
    username: str = "billing"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def client(self) -> httpx.Client:
        """A client that knows the password."""
        return httpx.Client(base_url=self.url, auth=(self.username, self.password), timeout=30)


def on_loopback(**who: str) -> RealServer:
    """A server at a free port, with a password of its own; nobody listens there yet."""
    return RealServer(url=f"http://127.0.0.1:{free_port()}", **who)


def program(name: str, *, package: str) -> str:
    """The path of an installed program. Raises ServerFailure: without its server a test has failed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
    if path is None:
        raise ServerFailure(f"{name} is not installed: apt-get install --no-install-recommends {package}")
    return path


def free_port() -> int:
    """A port on loopback that was free a moment ago, below those that the kernel hands to outgoing connections.

    (Zabbix takes no other.) Raises ServerFailure.
    """
    for _ in range(100):
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe, suppress(OSError):  # another one has it
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerFailure("no port from 15000 to 32000 seems to be free on loopback: end what holds them")


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    log: Path,
    patience: float = 60,
    environment: Mapping[str, str] | None = None,
    **owner: Any,
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when `ready` says so.

    Raises ServerFailure with the server's last word where it never does. `ready` may raise httpx.TransportError while
    nobody listens yet. `patience` is in seconds; `environment` adds variables, and `owner` is Popen's `user`, `group`.
    """
    variables = {**os.environ, **(environment or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, env=variables, **owner
        )
    try:
        deadline = time.monotonic() + patience
        while not _is_ready(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailure(f"{command[0]} did not get ready: {_last_line(log)} (see {log})")
            time.sleep(0.05)
        yield
    finally:
        _end_group(process)


def eventually(condition: Callable[[], bool], *, what: str, patience: float = 60) -> None:
    """Return as soon as the condition holds. Raises ServerFailure where it does not within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise ServerFailure(f"{what}: not within {patience:g} s")
        time.sleep(0.1)


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
