"""What a person sees of a collected day in a real browser, at the address of `albacore up`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from albacore_pipeline.database import embedded
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.real.servers import program
from albacore_pipeline_tests.story.served import up
from albacore_pipeline_tests.story.told import Told

pytestmark = [pytest.mark.real, pytest.mark.timeout(300), pytest.mark.xdist_group("ui")]

DAY = "2025-10-01"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The web interface over a new sandbox in which Norway's first day was collected."""
    place = Told(home=tmp_path_factory.mktemp("ui") / "home")
    try:
        assert place.albacore("sandbox", "advance", "1.5").returncode == 0
        collect = "dagster asset materialize -m albacore_pipeline.definitions --select '*norway/consumption'"
        collected = place.shell(f"{collect} --partition {DAY}")
        assert collected.returncode == 0, collected.stderr[-2000:]
        with up(place) as (_, url, _):
            yield url
    finally:
        place.albacore("down")
        embedded.remove(home=place.home)


@pytest.fixture
def browser(tmp_path: Path) -> list[str]:
    """A headless Chromium whose clock runs on until the page has loaded its data."""
    chromium = program("chromium", package="chromium")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    return [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", profile,
        "--window-size=1600,1200", "--virtual-time-budget=30000", "--dump-dom",
    ]  # fmt: skip


def seen(browser: list[str], url: str) -> str:
    """The text of a page after its scripts have run."""
    page = subprocess.run([*browser, url], capture_output=True, text=True, check=True, timeout=120).stdout
    without_code = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", without_code)))


def test_the_catalog_lists_every_asset(address: str, browser: list[str]) -> None:
    text = seen(browser, f"{address}/assets")

    names = [f"{site} / {name}" for site in SITES for name in ("machines", "consumption")]
    assert [name for name in [*names, "billing_records", "invoices", "month_report"] if name not in text] == []


def test_the_lineage_shows_the_groups(address: str, browser: list[str]) -> None:
    text = seen(browser, f"{address}/asset-groups")

    groups = ("registry", "collection", "billing", "invoicing", "escalation", "finance")
    assert [group for group in groups if group not in text] == []
    assert "Join the Dagster community" not in text  # no dialogue lies over the first page


def test_a_day_shows_its_energy_and_quality(address: str, browser: list[str]) -> None:
    text = seen(browser, f"{address}/assets/norway/consumption?view=partitions&partition={DAY}")

    assert f"{DAY} Materialized" in text
    for label in ("kWh", "hours in the day 24", "coverage 1", "refused readings 0", "worst machines", "NO-0001"):
        assert label in text, label
