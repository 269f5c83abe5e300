"""Ticks carry out what a real sensor asks for, and say why a run failed."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from albacore_pipeline.cli.ticks import Ran, Ticker
from albacore_pipeline.oversight.assets import run_failures


@dg.op
def refuses() -> None:
    raise dg.Failure("the site lists no machine; check its inventory")


@dg.op
def stumbles() -> None:
    try:
        int("one")
    except ValueError as error:
        raise RuntimeError("no number") from error


@dg.op
def works() -> None:
    pass


@dg.job
def refusing() -> None:
    refuses()


@dg.job
def stumbling() -> None:
    stumbles()


@dg.job
def working() -> None:
    works()


@dg.sensor(jobs=[working, refusing])
def asks_for_two(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    count = int(context.cursor or 0) + 1
    return dg.SensorResult(
        run_requests=[dg.RunRequest(job_name="working"), dg.RunRequest(job_name="refusing")] if count == 1 else [],
        cursor=str(count),
    )


@dg.schedule(job=working, cron_schedule="0 6 * * *")
def asks_for_one() -> dg.RunRequest:
    return dg.RunRequest()


@pytest.fixture
def ticker() -> Iterator[Ticker]:
    definitions = dg.Definitions(jobs=[refusing, stumbling, working], sensors=[asks_for_two], schedules=[asks_for_one])
    with dg.DagsterInstance.ephemeral() as instance:
        yield Ticker(definitions=definitions, instance=instance)


def test_a_failure_is_told_in_its_own_words(ticker: Ticker) -> None:
    assert ticker.job("refusing") == Ran(
        job="refusing", success=False, message="the site lists no machine; check its inventory"
    )


def test_an_error_is_told_by_its_innermost_cause(ticker: Ticker) -> None:
    assert ticker.job("stumbling").message == "ValueError: invalid literal for int() with base 10: 'one'"


def test_a_sensor_keeps_its_cursor_between_ticks(ticker: Ticker) -> None:
    first, second = ticker.sensor("asks_for_two"), ticker.sensor("asks_for_two")

    assert [(ran.job, ran.success) for ran in first] == [("working", True), ("refusing", False)]
    assert second == []


def test_a_schedule_runs_its_job_under_its_name(ticker: Ticker) -> None:
    (ran,) = ticker.schedule("asks_for_one")

    assert ran == Ran(job="working", success=True, message="")
    (run,) = ticker.instance.get_runs()
    assert run.tags["dagster/schedule_name"] == "asks_for_one"


def test_the_daemon_names_a_failed_run_with_its_cause(ticker: Ticker, capsys: pytest.CaptureFixture[str]) -> None:
    ticker.job("refusing")
    (run,) = ticker.instance.get_runs()
    event = ticker.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)[0].get_dagster_event()

    with dg.build_run_status_sensor_context("run_failures", event, ticker.instance, run).for_run_failure() as context:
        run_failures(context)

    assert "refusing failed: the site lists no machine; check its inventory" in capsys.readouterr().err
