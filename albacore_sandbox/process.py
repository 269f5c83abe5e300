"""Starting, finding and ending the sandbox's process from Python.

Belongs here: the process and nothing of what it serves.
Does not belong here: what the world does; ask it over HTTP.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 5.0


class SandboxFailed(Exception):
    """The sandbox did not start or end. One line: cause and mend."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A sandbox that answers."""

    url: str
    smtp_url: str
    pid: int


def running(*, home: Path) -> Running | None:
    """The sandbox of this home if it answers, else None. Another one's answer on the same port does not count."""
    try:
        written = json.loads((home / "server.json").read_text())
        found = Running(url=str(written["url"]), smtp_url=str(written["smtp_url"]), pid=int(written["pid"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # none was started, or its note was damaged: whoever starts writes a new one
    return found if _answers(found, home) else None


def start(*, home: Path, machines_per_site: int = 50, seed: int = 7, timeout: float = 30) -> Running:
    """The sandbox of this home, started in a session of its own if none answers. Raises SandboxFailed."""
    home.mkdir(parents=True, exist_ok=True)
    with _only_one_starter(home):
        found = running(home=home)
        if found is not None:
            return found
        (home / "server.json").unlink(missing_ok=True)
        arguments = ["--home", str(home), "--machines-per-site", str(machines_per_site), "--seed", str(seed)]
        with (home / "sandbox.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "albacore_sandbox", *arguments],
                cwd=_PACKAGE_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return _when_it_answers(child, home=home, timeout=timeout)


def stop(*, home: Path) -> bool:
    """End the sandbox of this home; False if none answered. Raises SandboxFailed if it can't be ended."""
    found = running(home=home)
    if found is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(found.pid, number)
        except ProcessLookupError:
            break
        if _ended(found.pid, timeout=_GRACE_SECONDS):
            break
    else:
        raise SandboxFailed(f"the sandbox of {home} (pid {found.pid}) does not end: end it by hand")
    (home / "server.json").unlink(missing_ok=True)
    return True


def _when_it_answers(child: subprocess.Popen[bytes], *, home: Path, timeout: float) -> Running:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = running(home=home)
        if found is not None:
            return found
        if child.poll() is not None:
            raise SandboxFailed(f"the sandbox ended at once ({child.returncode}): see {home / 'sandbox.log'}")
        time.sleep(_POLL_SECONDS)
    child.kill()
    raise SandboxFailed(f"the sandbox did not answer within {timeout:g} s: see {home / 'sandbox.log'}")


def _answers(found: Running, home: Path) -> bool:
    address = urlsplit(found.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", "/sandbox/status")
        return bool(json.loads(connection.getresponse().read())["home"] == str(home.resolve()))
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False  # whoever listens there, if anyone, is not this sandbox
    finally:
        connection.close()


def _ended(pid: int, *, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            pass  # not a child of this process
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(_POLL_SECONDS)
    return False


@contextmanager
def _only_one_starter(home: Path) -> Iterator[None]:
    with (home / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
