"""A deployment over a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from albacore_pipeline_tests.orchestration.deployment import Deployment, deploy


@pytest.fixture
def deployment(make_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The product's definitions over a fresh database, live, on 1 November 2025."""
    return deploy(make_database(), folder=tmp_path, monkeypatch=monkeypatch)
