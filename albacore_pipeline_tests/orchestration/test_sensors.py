"""Every sensor asks for what is due by the database and the Clock, once, and for nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from albacore_pipeline.definitions import defs
from albacore_pipeline.orchestration.runs import is_running
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, PAUSE_DAY, Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.orchestration.deployment import Deployment
from albacore_pipeline_tests.small_world import collect

LEVEL = ["corrections", "invoice_issuing", "payment_watch", "escalation", "machine_pause", "machine_resume"]
FLEET = ("NO-0002", "NO-0003", "NO-0004", "NO-0005")


@pytest.fixture
def desk(deployment: Deployment) -> Desk:
    """Acme has an issued invoice for one machine of five."""
    desk = deployment.desk
    desk.open_books(one_day("NO-0001", "acme"), idle=FLEET)
    desk.write_documents()
    desk.issue()
    return desk


def asked(tick: dg.SensorExecutionData) -> list[str | None]:
    """The partitions of the runs that were asked for; None where a run has none."""
    return [request.partition_key for request in tick.run_requests or []]


@pytest.mark.parametrize("name", LEVEL)
def test_nothing_is_asked_for_in_an_empty_world(deployment: Deployment, name: str) -> None:
    tick = deployment.tick(name)

    assert (asked(tick), tick.skip_message) == ([], "nothing is due")


@pytest.mark.parametrize("name", ["payment_watch", "escalation", "machine_pause", "machine_resume"])
def test_nothing_is_asked_for_in_a_dry_run(
    deployment: Deployment, desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run_chain()
    monkeypatch.setenv("ALBACORE_EFFECTS", "dry_run")

    assert deployment.tick(name).skip_message == "a dry run: nothing leaves"


def test_a_month_that_is_rated_is_written_and_issued(deployment: Deployment) -> None:
    deployment.desk.open_books(one_day("NO-0001", "acme"))
    deployment.desk.write_documents()

    assert asked(deployment.tick("invoice_issuing")) == ["2025-10"]

    deployment.desk.issue()
    assert asked(deployment.tick("invoice_issuing")) == []


def test_open_documents_are_read_every_quarter_of_an_hour(deployment: Deployment, desk: Desk) -> None:
    first = deployment.tick("payment_watch")
    assert asked(first) == [None]

    desk.clock.advance(minutes=14)
    assert asked(deployment.tick("payment_watch", cursor=first.cursor)) == []

    desk.clock.advance(minutes=1)
    assert asked(deployment.tick("payment_watch", cursor=first.cursor)) == [None]


def test_a_stage_that_is_due_is_asked_for_until_it_is_entered(deployment: Deployment, desk: Desk) -> None:
    desk.clock.at = desk.clock.at.replace(day=17)
    desk.read_xero()
    assert asked(deployment.tick("escalation")) == [None]

    desk.night(CHAIN_DAYS[0])
    assert asked(deployment.tick("escalation")) == [None], "what comes next is to be noted"
    desk.evaluate()
    assert asked(deployment.tick("escalation")) == []


def test_a_pause_is_asked_for_when_it_is_due_and_a_resume_when_the_money_came(
    deployment: Deployment, desk: Desk
) -> None:
    for day in CHAIN_DAYS:
        desk.night(day)
    assert asked(deployment.tick("machine_pause")) == []

    desk.night(PAUSE_DAY)
    assert asked(deployment.tick("machine_pause")) == [None]

    desk.plan()
    desk.pause()
    assert asked(deployment.tick("machine_pause")) == []
    assert asked(deployment.tick("machine_resume")) == []

    ((number, amount),) = desk.ask("select number, total from report.invoices")
    desk.xero.pay(number, str(amount))
    later(desk.clock)
    desk.night()
    assert asked(deployment.tick("machine_resume")) == [None]


def test_a_corrected_day_of_an_invoiced_month_is_rated_again(deployment: Deployment, desk: Desk) -> None:
    assert asked(deployment.tick("corrections")) == []

    with desk.engine.begin() as connection:
        collect(connection, site="norway", day=date(2025, 10, 31), machines={"NO-0001": 2_000_000})

    assert asked(deployment.tick("corrections")) == ["2025-10"]


def test_a_reconciliation_that_was_missed_is_asked_for(deployment: Deployment, desk: Desk) -> None:
    def jobs() -> set[str | None]:
        return {request.job_name for request in deployment.tick("missed_work").run_requests or []}

    assert "reconcile" in jobs()

    desk.reconcile()
    assert "reconcile" not in jobs()

    desk.clock.at += timedelta(hours=27)
    assert "reconcile" in jobs()


def test_a_month_is_rated_and_written_through_dagster(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALBACORE_EFFECTS", "dry_run")
    deployment.desk.open_books(one_day("NO-0001", "acme"))

    rated = deployment.run("bill_month", partition="2025-10")
    written = deployment.run("issue_invoices", partition="2025-10")

    (preview,) = _metadata(rated, "preview")
    (documents,) = _metadata(written, "documents")
    assert "| acme | 1 | ready |" in str(preview.value)
    assert "| ALB-2025-000001 | invoice | acme |" in str(documents.value)
    assert deployment.desk.documents() == {"ALB-2025-000001": "prepared"}


def _metadata(run: dg.ExecuteInProcessResult, name: str) -> list[dg.MetadataValue]:
    return [
        event.step_materialization_data.materialization.metadata[name]
        for event in run.all_events
        if event.is_step_materialization
    ]


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_nothing_more_is_asked_for_while_a_run_is_under_way(status: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.create_run_for_job(defs.resolve_job_def("reconcile"), status=dg.DagsterRunStatus[status])

        assert is_running(instance, "reconcile")
        assert not is_running(instance, "watch_payments")
