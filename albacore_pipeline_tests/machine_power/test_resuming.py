"""Resuming: whatever is off by our command and that no plan stands for runs again, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.escalation.acts import (
    ReleaseHold,
    ReopenCase,
    ReportBounce,
    WriteOff,
    release_hold,
    reopen_case,
    report_bounce,
    write_off,
)
from albacore_pipeline.machine_power import acts
from albacore_pipeline_tests.escalation.desk import Desk, fails
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.machine_power.test_pausing import (
    MACHINE,
    NUMBER,
    OFF,
    ON,
    WIDE,
    fails_xero,
    hand_over,
    turn_kill_switch,
)
from albacore_pipeline_tests.small_world import assignment

MakeDesk = Callable[..., Desk]


def paid(desk: Desk) -> None:
    desk.xero.pay(NUMBER, "500")
    later(desk.clock)
    desk.night()


def test_it_waits_for_no_gate(paused: Desk) -> None:
    """Not for the kill switch, not for Xero, not for the hours, not for a site stop, not for a policy."""
    paused.xero.pay(NUMBER, "500")
    paused.night("2025-12-13T22:00")
    turn_kill_switch(paused, on=True)
    with paused.engine.begin() as connection:
        connection.exec_driver_sql("insert into albacore.site_stop values ('norway', now(), 'test', null, null)")
        connection.exec_driver_sql("update albacore.policy set until_version = since_version")
    paused.xero.before = fails_xero
    assert paused.resume() == {"done": 1}
    assert paused.control.states == {MACHINE: ON}


def test_a_command_that_does_nothing_is_given_again_until_the_machine_runs(paused: Desk) -> None:
    paid(paused)
    paused.control.obeys = False
    for _ in range(8):
        paused.resume()
        later(paused.clock, minutes=15)
    assert paused.control.commands.count(f"on {MACHINE}") == 8
    assert f"norway {MACHINE} does not run again" in paused.tasks(), "people are told after an hour"
    paused.control.obeys = True
    paused.resume()
    assert (paused.control.states, paused.outcomes()[-1]) == ({MACHINE: ON}, (MACHINE, "resume", "verified"))
    assert f"norway {MACHINE} does not run again" not in paused.tasks()


def test_a_machine_whose_state_can_not_be_read_on_its_way_is_read_again_before_it_is_commanded_again(
    paused: Desk,
) -> None:
    """An interface may refuse to say a state while it changes."""
    paid(paused)
    paused.patience = timedelta(seconds=5)
    unreadable = iter((True, True, False))
    paused.control.before = lambda act: fails("state")(act) if act == "state" and next(unreadable, False) else None
    paused.resume()
    assert paused.outcomes()[-1] == (MACHINE, "resume", "verified")
    assert paused.control.commands.count(f"on {MACHINE}") == 1


def test_after_an_outage_of_days_it_is_given_within_a_quarter_of_an_hour(paused: Desk) -> None:
    paid(paused)
    paused.control.before = fails("on", "state")
    for _ in range(12):
        paused.resume()
        later(paused.clock, hours=4)
    paused.control.before = lambda _: None
    paused.resume()
    assert paused.control.states == {MACHINE: ON}


@pytest.mark.parametrize("day", ["2025-12-09", "2025-12-08"])
def test_a_machine_that_is_handed_over_while_it_stands_still_runs_for_its_new_holder(paused: Desk, day: str) -> None:
    """On that day, or back-dated: it owes nothing."""
    before = "2025-12-08" if day == "2025-12-09" else "2025-12-07"
    hand_over(paused, assignment(MACHINE, "acme", "2025-10-31", before), assignment(MACHINE, "bolt", day))
    paused.night("2025-12-09T09:00")
    paused.resume()
    assert paused.control.states == {MACHINE: ON}
    assert paused.stages().count("paused") == 1


def test_a_machine_that_nobody_has_any_more_runs_again(paused: Desk) -> None:
    hand_over(paused, assignment(MACHINE, "acme", "2025-10-31", "2025-12-08"))
    paused.night("2025-12-09T09:00")
    paused.resume()
    assert paused.control.states == {MACHINE: ON}


def test_a_machine_in_repair_is_left_to_who_repairs_it(paused: Desk) -> None:
    hand_over(
        paused,
        assignment(MACHINE, "acme", "2025-10-31", "2025-12-08"),
        assignment(MACHINE, "acme", "2025-12-09", state="repair"),
    )
    paused.night("2025-12-09T09:00")
    paused.resume()
    assert paused.control.states == {MACHINE: OFF}
    assert f"norway {MACHINE} is in repair and may run again" in paused.tasks()
    form = acts.ResumeMachine(actor="ola", reason="mended", site="norway", machine=MACHINE)
    paused.perform("resume_machine", acts.resume_machine, form)
    paused.resume()
    assert paused.control.states == {MACHINE: ON}


@pytest.mark.parametrize("number", [None, NUMBER])
def test_a_hold_after_the_pause_resumes_and_its_end_needs_a_new_plan(paused: Desk, number: str | None) -> None:
    paused.hold(number)
    later(paused.clock)
    paused.resume()
    assert paused.control.states == {MACHINE: ON}
    paused.perform(
        "release_hold", release_hold, ReleaseHold(actor="a", reason="settled", customer="acme", number=number or "")
    )
    for _ in range(2):
        later(paused.clock)
        paused.night()
        paused.pause()
    assert paused.control.commands == [f"on {MACHINE}"]
    assert paused.stages()[-1] == "pause_scheduled", "the pause is announced anew"


def test_a_veto_after_the_pause_resumes(paused: Desk) -> None:
    paused.perform("veto_pause", acts.veto_pause, acts.VetoPause(actor="anna", reason="wrong", customer="acme"))
    paused.resume()
    assert paused.control.states == {MACHINE: ON}


def test_a_vetoed_case_goes_on_when_a_person_reopens_it(paused: Desk) -> None:
    paused.perform("veto_pause", acts.veto_pause, acts.VetoPause(actor="anna", reason="wrong", customer="acme"))
    paused.resume()
    later(paused.clock, days=1)
    paused.night()
    assert paused.stages()[-1] == "paused"
    paused.perform("reopen_case", reopen_case, ReopenCase(actor="anna", reason="he did not call", number=NUMBER))
    paused.night()
    assert paused.stages()[-1] == "pause_scheduled"


@pytest.mark.parametrize("step", [3, 4])
def test_a_notice_of_which_it_becomes_known_later_that_it_came_back_resumes(paused: Desk, step: int) -> None:
    key = f"mail:step:{step}:pay@acme.example"
    ((message_id,),) = paused.ask(
        "select answer ->> 'message_id' from albacore.effect where business_key = :key", key=key
    )
    bounce = ReportBounce(actor="anna", reason="mailbox full", message_id=message_id)
    paused.perform("report_bounce", report_bounce, bounce)
    paused.resume()
    assert paused.control.states == {MACHINE: ON}


def test_a_write_off_resumes(paused: Desk) -> None:
    paused.perform("write_off", write_off, WriteOff(actor="cfo", reason="bankrupt", number=NUMBER))
    paused.night()
    paused.resume()
    assert paused.control.states == {MACHINE: ON}
    assert paused.cases() == {NUMBER: ("closed", "written off")}


def test_money_that_nobody_applied_resumes(paused: Desk) -> None:
    paused.xero.receive("495")
    later(paused.clock)
    paused.night()
    paused.resume()
    assert paused.control.states == {MACHINE: ON}, "5 are left, the minimum is 10"


def test_a_site_that_is_not_set_up_holds_up_no_other(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("FI-0001", "acme"), one_day("NO-0001", "acme"), policy=WIDE)
    desk.run_chain()
    desk.pause()
    desk.xero.pay(NUMBER, "1000")
    later(desk.clock)
    desk.night()

    desk.not_set_up = {"finland"}
    desk.resume()
    assert desk.control.states == {"FI-0001": OFF, "NO-0001": ON}


def test_a_restored_database_learns_from_the_journal_what_was_switched_off(paused: Desk) -> None:
    """The backup is from before the pause; the machine is off, and the customer pays."""
    with paused.engine.begin() as connection:
        connection.exec_driver_sql("delete from albacore.machine_command")
        connection.exec_driver_sql("update albacore.pause_plan_item set fell_at = now(), fell_why = 'lost'")
    paid(paused)
    paused.resume()
    assert paused.control.states == {MACHINE: ON}
    ((adopted,),) = paused.ask("select subject from report.audit where action = 'adopt_command'")
    assert adopted == f"norway {MACHINE}"


def test_a_machine_that_was_never_ours_is_not_resumed_by_hand_either(desk: Desk) -> None:
    form = acts.ResumeMachine(actor="ola", reason="please", site="norway", machine=MACHINE)
    with pytest.raises(LookupError, match="was never paused by us: switch it on at the site"):
        desk.perform("resume_machine", acts.resume_machine, form)
    for site, machine, why in (("mars", "M-1", "mars is no site"), ("norway", "NO-9", "norway knows no machine NO-9")):
        form = acts.ResumeMachine(actor="ola", reason="please", site=site, machine=machine)
        with pytest.raises(LookupError, match=why):
            desk.perform("resume_machine", acts.resume_machine, form)


# Tickets


@pytest.fixture
def by_ticket(make_desk: MakeDesk) -> Desk:
    """A ticket to switch off has left."""
    desk = make_desk(one_day("ET-0001", "acme"), policy=WIDE)
    desk.run_chain()
    desk.pause()
    assert desk.outcomes() == [("ET-0001", "pause", "sent")]
    return desk


def confirm(desk: Desk, action: str, answer: str) -> None:
    form = acts.ConfirmPowerState.model_validate(
        {
            "actor": "abeba", "reason": "seen", "site": "ethiopia", "machine": "ET-0001", "action": action,
            "answer": answer,
        }
    )  # fmt: skip
    desk.perform("confirm_power_state", acts.confirm_power_state, form)


def test_a_site_of_tickets_writes_one_with_reason_deadline_and_what_else_to_do(by_ticket: Desk) -> None:
    by_ticket.pause()
    ((mail,),) = [mails for key, mails in by_ticket.mail.sent.items() if key.startswith("mail:ticket:")]
    assert (mail["to"], mail["subject"]) == ("operations.ethiopia@albacore.example", "Ticket: switch off ET-0001")
    for word in (NUMBER, "by 2025-12-09", "not done", "withdraws"):
        assert word in mail["text"]
    confirm(by_ticket, "pause", "done")
    assert by_ticket.outcomes() == [("ET-0001", "pause", "verified")]
    assert "paused" not in by_ticket.stages()
    by_ticket.pause()
    assert by_ticket.stages()[-1] == "paused", "the customer hears of it when a person said so"
    with pytest.raises(LookupError, match="no pause of ethiopia ET-0001 waits"):
        confirm(by_ticket, "pause", "done")


def test_an_unanswered_ticket_whose_reason_went_is_withdrawn_by_another(by_ticket: Desk) -> None:
    paid(by_ticket)
    by_ticket.resume()
    assert by_ticket.outcomes()[-1] == ("ET-0001", "resume", "sent")
    assert by_ticket.mails("operations.ethiopia@albacore.example")[-1] == "Ticket: switch on ET-0001"
    by_ticket.resume()
    assert by_ticket.mails("operations.ethiopia@albacore.example").count("Ticket: switch on ET-0001") == 1


def test_a_ticket_whose_reason_went_before_its_mail_could_leave_is_not_sent(make_desk: MakeDesk) -> None:
    """The relay is down for a day; the customer pays meanwhile."""
    desk = make_desk(one_day("ET-0001", "acme"), policy=WIDE)
    desk.run_chain()
    desk.plan()
    desk.carry_out()
    desk.xero.pay(NUMBER, "500")
    later(desk.clock, days=1)
    desk.read_xero()
    desk.evaluate()
    desk.send_mails()
    assert "Ticket: switch off ET-0001" not in desk.mails()
    assert desk.outcomes() == [("ET-0001", "pause", "cancelled")]
    desk.resume()
    assert "Ticket: switch on ET-0001" not in desk.mails()


def test_a_machine_that_was_off_already_is_not_ours(by_ticket: Desk) -> None:
    confirm(by_ticket, "pause", "was off already")
    paid(by_ticket)
    by_ticket.resume()
    assert by_ticket.outcomes() == [("ET-0001", "pause", "cancelled")]


def test_a_ticket_that_nobody_answers_is_said_again_each_business_day(by_ticket: Desk) -> None:
    for _ in range(7):
        later(by_ticket.clock, days=1)
        by_ticket.pause()
    said = [subject for subject in by_ticket.mails("operations.ethiopia@albacore.example") if "unanswered" in subject]
    assert len(said) == 5, "Tuesday to Friday of the week, and Monday"
    confirm(by_ticket, "pause", "done")
    assert by_ticket.tasks() == [] or all("unanswered" not in subject for subject in by_ticket.tasks())


def test_the_policy_may_be_gone(paused: Desk) -> None:
    with paused.engine.begin() as connection:
        connection.exec_driver_sql("update albacore.policy set until_version = 1")
    paid(paused)
    paused.resume()
    assert paused.control.states == {MACHINE: PowerState.ON}
