"""The whole way of one document, from its mail to the pause and back."""

from __future__ import annotations

from albacore_pipeline.cli.queries import machines_with_a_plan
from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.machine_power import queries
from albacore_pipeline_tests.escalation.desk import Desk
from albacore_pipeline_tests.invoicing.fakes import later

NUMBER = "ALB-2025-000001"
MACHINE = "NO-0001"


def test_an_unpaid_document_goes_through_every_stage_and_its_machine_runs_again_when_it_is_paid(desk: Desk) -> None:
    desk.run_chain()
    assert desk.stages() == ["reminder", "overdue", "final_notice", "pause_scheduled"]
    assert desk.pause() == {"done": 1}
    assert desk.control.commands == [f"off {MACHINE}"]
    assert desk.outcomes() == [(MACHINE, "pause", "verified")]
    assert desk.stages()[-1] == "paused"
    assert desk.resume() == {}, "nothing is paid yet"
    desk.xero.pay(NUMBER, "500")
    later(desk.clock)
    desk.night()
    assert desk.resume() == {"done": 1}
    assert desk.control.states == {MACHINE: PowerState.ON}
    assert desk.cases() == {NUMBER: ("closed", "paid")}
    assert desk.mails("pay@acme.example")[-1].startswith("Your machines are running again")
    later(desk.clock, days=3)
    assert desk.resume() == {}, "once"


def test_what_became_of_machines_is_listed_since_an_instant(paused: Desk) -> None:
    with paused.engine.connect() as connection:
        (change,) = queries.changes(connection, since=paused.clock.now())
        assert (change.site, change.machine, change.action, change.outcome) == ("norway", MACHINE, "pause", "verified")
        assert queries.changes(connection, since=later(paused.clock)) == []
        (planned,) = machines_with_a_plan(connection)
    assert MACHINE in str(planned)
