"""A site's assets as Dagster runs them, against a small server on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml

from albacore_pipeline import sites
from albacore_pipeline.definitions import build_defs
from albacore_pipeline.oversight.causes import cause
from albacore_pipeline.settings import PROJECT
from albacore_pipeline.sites import SITES, Site
from albacore_pipeline_tests.answering import answering
from albacore_pipeline_tests.consumption.small_sites import DAY, SmallSite, readings, served
from albacore_pipeline_tests.small_world import ask

FIVE_MINUTES = 300_000


@pytest.fixture
def platform(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> sa.Engine:
    """A deployment with a database and an archive of its own, in which no site is configured."""
    for site in SITES:
        monkeypatch.delenv(f"{site.upper()}_URL", raising=False)
    monkeypatch.delenv("ALBACORE_SANDBOX_URL", raising=False)
    monkeypatch.setenv("ALBACORE_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("ALBACORE_ARCHIVE", str(tmp_path))
    return engine


def run(site: Site, small: SmallSite, monkeypatch: pytest.MonkeyPatch) -> dg.ExecuteInProcessResult:
    """Collect DAY of a site through its job, inventory first."""
    job = build_defs(sites={**SITES, site.name: site}).resolve_job_def(f"collect_{site.name}")
    with served(small) as url, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv(f"{site.name.upper()}_URL", url)
        return job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), raise_on_error=False)


def shown(result: dg.ExecuteInProcessResult, asset: str) -> Mapping[str, Any]:
    """The metadata of the only materialization of an asset."""
    (event,) = (
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key and event.asset_key.path[1] == asset
    )
    return {name: value.value for name, value in event.materialization.metadata.items()}


def documented() -> Site:
    """The entry that docs/adding-a-data-centre.md shows."""
    text = (PROJECT / "docs" / "adding-a-data-centre.md").read_text()
    (entry,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    site = eval(entry, dict(vars(sites)))  # noqa: S307 - our own text, with the names that sites.py has at hand
    assert isinstance(site, Site)
    return site


def test_a_fifth_data_centre_is_one_entry_as_documented(platform: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    iceland = documented()
    points = readings(iceland, step_ms=FIVE_MINUTES)
    result = run(iceland, SmallSite(iceland, {"IS-0001": points, "IS-0002": points}), monkeypatch)
    assert result.success
    with platform.connect() as connection:
        rows = ask(connection, "select site, machine, day, kwh, quality from report.machine_days order by machine")
    assert [(site, machine, day, float(kwh), quality) for site, machine, day, kwh, quality in rows] == [
        ("iceland", f"IS-000{number}", DAY, 28.8, "measured") for number in (1, 2)
    ]
    assert shown(result, "consumption")["drawing power, but assigned to nobody"] == [
        "IS-0001: 28.800 kWh",
        "IS-0002: 28.800 kWh",
    ]


def test_a_site_answers_one_run_at_a_time() -> None:
    pools = yaml.safe_load((PROJECT / "dagster.yaml").read_text())["concurrency"]["pools"]
    assert pools == {"default_limit": 1, "granularity": "run"}  # that both assets are in the site's pool: the snapshot


def test_a_run_of_a_played_world_refuses_a_real_site(platform: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that plain `dagster` starts in a shell which knows a sandbox, and into which a real address came."""
    norway, ours = SITES["norway"], "http://127.0.0.1:1/ours"
    with answering(json.dumps({"addresses": [ours]}).encode()) as (sandbox, _):
        monkeypatch.setenv("ALBACORE_SANDBOX_URL", sandbox)
        for name in ("XERO_API_URL", "XERO_TOKEN_URL", "ALBACORE_CLOCK_URL"):
            monkeypatch.setenv(name, ours)
        result = run(norway, SmallSite(norway, {"NO-0001": readings(norway)}), monkeypatch)
    assert not result.success
    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert cause(failure).startswith("NORWAY_URL does not lead to the sandbox")
    with platform.connect() as connection:
        assert ask(connection, "select count(*) from albacore.collection") == [(0,)]


def test_a_past_day_of_a_site_that_lists_no_machine_today_is_collected(
    platform: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    norway = SITES["norway"]
    points = readings(norway, step_ms=FIVE_MINUTES)
    result = run(norway, SmallSite(norway, {"NO-0001": points}, present=False), monkeypatch)
    assert result.success
    assert shown(result, "machines")["machines"] == 0
    assert shown(result, "consumption")["kWh"] == 28.8
    verdicts = {verdict.check_name: verdict for verdict in result.get_asset_check_evaluations()}
    assert (verdicts["inventory"].passed, verdicts["inventory"].severity.value) == (False, "WARN")
    assert verdicts["complete"].passed
    assert verdicts["plausible"].passed


def test_a_site_s_failure_is_one_line_and_no_trace_of_its_secrets(
    platform: sa.Engine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    norway = SITES["norway"]
    monkeypatch.setenv("NORWAY_PASSWORD", "canary-71c2")
    small = SmallSite(norway, {"NO-0001": readings(norway)}, damage=lambda _: b"<html>")
    result = run(norway, small, monkeypatch)
    assert not result.success
    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failure.user_failure_data is not None
    said = failure.user_failure_data.description or ""
    assert said.startswith("norway 2025-10-20: readings: a web page came instead of data")
    assert said.isprintable()
    captured = capfd.readouterr()
    assert "canary-71c2" not in f"{result.all_events}{captured.out}{captured.err}"
    with platform.connect() as connection:
        assert ask(connection, "select count(*) from albacore.collection") == [(0,)]
