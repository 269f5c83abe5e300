"""Dagster's web interface and daemon as children of `albacore up`, and how they end with it.

Belongs here: the processes and their signals.
Does not belong here: what Dagster runs, or where its home is (`home.py`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from albacore_pipeline.cli.home import InUse, Lock

HOST = "127.0.0.1"
GRACE = 30  # seconds for running runs to end by themselves


def serve(*, port: int, dagster_home: Path, lock: Lock) -> int:
    """Run `dagster dev` until it ends or we are told to; nothing of it is left then. Returns its exit code."""
    _see_that_free(port)
    # Dagster asks its children to end with SIGINT. Started in the background of a script we inherit that signal as
    # ignored, and would hand it on; with a handler of ours the children begin with the default.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    dagster = Path(sys.executable).with_name("dagster")
    child = subprocess.Popen(
        [dagster, "dev", "-m", "albacore_pipeline.definitions", "-h", HOST, "-p", str(port)],
        cwd=dagster_home,  # elsewhere Dagster wonders about the dagster.yaml that it finds
        env=os.environ | {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"},
        start_new_session=True,
        pass_fds=[lock.descriptor],
    )
    lock.held_with("Dagster", child.pid)
    try:
        return child.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(child)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _see_that_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InUse(f"port {port} of {HOST} is not free ({error.strerror}): albacore up --port NUMBER") from None


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and its whole group: with a word first, then without."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=GRACE)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
