"""The story is told once for all tests of this folder, in a home whose path is unkind, in a shell full of secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from albacore_pipeline.database import embedded
from albacore_pipeline_tests.story.told import Told, canaries


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A home in which `albacore demo` ended well. Tests leave it as they found it, or further on in the same story."""
    place = Told(home=tmp_path_factory.mktemp("story") / "håme of fish")
    try:
        ended = place.demo(canaries())
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
        place.said = ended.stdout
        yield place
    finally:
        place.albacore("down")
        embedded.remove(home=place.home)
