"""`albacore up` as a child of a test, and what its web server answers.

Belongs here: starting, asking, ending. Does not belong here: what must be true of the answers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from albacore_pipeline_tests.story.told import Told

REPOSITORY = '{repositoryName: "__repository__", repositoryLocationName: "albacore_pipeline.definitions"}'


@contextmanager
def up(told: Told, *, deaf: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """`albacore up` on a free port, once it answers: the process, its address and its log.

    `deaf` starts it as a script starts its background jobs: with SIGINT ignored.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", told.home.parent / f"up-{port}.log"
    command = [sys.executable, "-m", "albacore_pipeline.cli", "up", "--port", str(port)]
    if deaf:
        command = ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with log.open("wb") as file:
        served = subprocess.Popen(
            command, env=told.environment(), cwd="/", stdout=file, stderr=file, start_new_session=True
        )
    try:
        until(lambda: _answers(url), seconds=90)
        yield served, url, log
    finally:
        told.outputs.append(log.read_text())
        if served.poll() is None:
            os.killpg(served.pid, signal.SIGTERM)
            served.wait(timeout=60)


def ask(url: str, query: str) -> dict[str, Any]:
    """What the GraphQL interface answers to a query."""
    answer = httpx.post(f"{url}/graphql", json={"query": query}, timeout=30).raise_for_status().json()
    assert "errors" not in answer, answer
    return dict(answer["data"])


def until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait for a condition, which is asked again twice a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds} s"
        time.sleep(0.5)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=5).is_success
    except httpx.HTTPError:
        return False
