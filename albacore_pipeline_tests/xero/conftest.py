"""A Xero that says what the test wants, and the product's client before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from albacore_pipeline.xero.client import Xero
from albacore_pipeline_tests.xero.server import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def xero(server: Server) -> Xero:
    return server.connect()
