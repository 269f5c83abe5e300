"""Pausing behind every gate, reading back, resuming. Whatever is unknown leaves the machine on."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.escalation.acts import ReportBounce, report_bounce
from albacore_pipeline.machine_power import acts, approvals
from albacore_pipeline.machine_power.gates import may_pause_now
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.sites import SITES
from albacore_pipeline.xero.interface import AnswerLost
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.escalation.desk import Desk, fails
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.small_world import assignment, customer, register, tariff

NUMBER = "ALB-2025-000001"
MACHINE = "NO-0001"
ON, OFF = PowerState.ON, PowerState.OFF


@pytest.fixture
def planned(desk: Desk) -> Desk:
    """The chain is at its end and the pause is planned, but nothing is switched yet."""
    desk.run_chain()
    (plan,) = desk.plan()
    assert (plan.machines, plan.refused) == ([f"norway {MACHINE}"], "")
    return desk


def turn_kill_switch(desk: Desk, *, on: bool) -> None:
    desk.perform("set_kill_switch", acts.set_kill_switch, acts.SetKillSwitch(actor="anna", reason="test", on=on))


# The way there and back


def test_a_pause_is_carried_out_and_verified(planned: Desk) -> None:
    assert planned.pause()["done"] >= 1
    assert planned.control.commands == [f"off {MACHINE}"]
    assert planned.outcomes() == [(MACHINE, "pause", "verified")]
    assert planned.stages()[-1] == "paused"
    assert ("read_back", f"norway {MACHINE}") in planned.ask("select action, subject from report.audit")
    assert (planned.plan(), planned.pause()) == ([], {}), "once"


def test_a_payment_resumes_what_we_paused(planned: Desk) -> None:
    planned.pause()
    assert planned.resume() == {}, "nothing is paid yet"
    planned.xero.pay(NUMBER, "500")
    later(planned.clock)
    planned.night()
    assert planned.resume() == {"done": 1}
    assert planned.control.states == {MACHINE: ON}
    assert planned.outcomes() == [(MACHINE, "pause", "verified"), (MACHINE, "resume", "verified")]
    later(planned.clock, days=3)
    assert planned.resume() == {}, "once"


def test_resuming_is_tried_until_it_works(planned: Desk) -> None:
    planned.pause()
    planned.xero.pay(NUMBER, "500")
    later(planned.clock)
    planned.night()
    planned.control.before = fails("on", "state")
    for _ in range(5):
        planned.resume()
        later(planned.clock, hours=7)
    planned.control.before = lambda _: None
    planned.resume()
    assert planned.control.states == {MACHINE: ON}
    assert planned.outcomes()[1] == (MACHINE, "resume", "verified")


def test_resuming_asks_for_no_gate(planned: Desk) -> None:
    """Not for the kill switch, not for Xero, not for the hours."""
    planned.pause()
    planned.xero.pay(NUMBER, "500")
    planned.night("2025-12-13T22:00")
    turn_kill_switch(planned, on=True)
    planned.xero.before = fails_xero
    assert planned.resume() == {"done": 1}


def fails_xero(_: str) -> None:
    raise AnswerLost("Xero answered 500")


# Before anything is planned


def test_nothing_is_planned_before_the_chain_is_at_its_end(desk: Desk) -> None:
    desk.run_chain(at="2025-12-05T09:00")
    assert desk.plan() == []


def test_nothing_is_planned_without_a_live_word_from_xero(desk: Desk) -> None:
    desk.run_chain()
    desk.xero.before = fails_xero
    (plan,) = desk.plan()
    assert plan.machines == []
    assert "no live word from Xero" in plan.refused
    assert desk.outcomes() == []


def test_nothing_is_planned_for_who_has_just_paid(desk: Desk) -> None:
    desk.run_chain()
    desk.xero.pay(NUMBER, "500")
    (plan,) = desk.plan()
    assert (plan.machines, plan.refused) == ([], "settled")


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (Policy(), "2 machines at norway would be paused today, 1 are allowed"),  # a fifth of five
        (Policy(share_of_site_and_day=Decimal(1), machines_per_site_and_day=1), "2 machines at norway"),
        (Policy(share_of_site_and_day=Decimal(1), customers_per_day=0), "more than 0 customers would be paused"),
        (Policy(share_of_site_and_day=Decimal("0.4")), ""),
    ],
)
def test_the_blast_radius_is_capped(make_desk: Callable[..., Desk], policy: Policy, refused: str) -> None:
    machines = [one_day("NO-0001", "acme"), one_day("NO-0002", "acme")]
    desk = make_desk(*machines, policy=policy, idle=("NO-0003", "NO-0004", "NO-0005"))
    desk.run_chain()
    (plan,) = desk.plan()
    assert plan.refused.startswith(refused) if refused else plan.machines == ["norway NO-0001", "norway NO-0002"]
    desk.pause()
    assert len(desk.control.commands) == (0 if refused else 2)


def test_the_caps_count_what_was_paused_for_others_today(make_desk: Callable[..., Desk]) -> None:
    """All five debtors come to their end on one day: no more machines stand still than the policy allows."""
    names = ["acme", "bolt", "cask", "dale", "east"]
    machines = [one_day(f"NO-000{number}", name) for number, name in enumerate(names, start=1)]
    desk = make_desk(*machines, policy=Policy(share_of_site_and_day=Decimal("0.5"), customers_per_day=4))
    desk.run_chain()
    plans = desk.plan()
    assert [bool(plan.machines) for plan in plans] == [True, True, False, False, False]
    desk.pause()
    assert len(desk.control.commands) == 2
    desk.clock.at = utc("2025-12-09T09:00")
    desk.night()
    desk.plan()
    desk.pause()
    assert len(desk.control.commands) == 4, "two more the next day"


def test_two_people_may_let_a_pause_above_the_cap_pass(make_desk: Callable[..., Desk]) -> None:
    """Each has a code of his own by mail, good once and for a day. One of them is not enough."""
    machines = [one_day("NO-0001", "acme"), one_day("NO-0002", "acme")]
    desk = make_desk(*machines)
    desk.run_chain()
    desk.plan()
    desk.pause()
    mails = [mail for key, (mail,) in desk.mail.sent.items() if key.startswith("mail:approval:")]
    codes = {mail["to"]: re.findall(r"code (\w{8})", mail["text"])[0] for mail in mails}
    assert sorted(codes) == ["finance@albacore.example", "operations@albacore.example"]
    finance, operations = codes.values()

    def approve(approver: str, code: str) -> None:
        with desk.engine.begin() as connection:
            approvals.approve(connection, customer="acme", approver=approver, code=code, now=desk.clock.now())

    for wrong in (operations, "00000000"):
        with pytest.raises(LookupError, match="wrong, used or older"):
            approve("finance@albacore.example", wrong)
    approve("finance@albacore.example", finance)
    with pytest.raises(LookupError, match="wrong, used or older"):
        approve("finance@albacore.example", finance)
    assert desk.plan()[0].machines == []
    approve("operations@albacore.example", operations)
    assert desk.plan()[0].machines == ["norway NO-0001", "norway NO-0002"]
    desk.pause()
    assert desk.control.commands == ["off NO-0001", "off NO-0002"]


def test_an_approval_is_good_for_a_day(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(one_day("NO-0001", "acme"))
    desk.run_chain()
    desk.plan()
    desk.pause()
    ((mail,),) = [mails for key, mails in desk.mail.sent.items() if "approval" in key and "finance" in key]
    code = re.findall(r"code (\w{8})", mail["text"])[0]
    desk.clock.advance(hours=24)
    with desk.engine.begin() as connection, pytest.raises(LookupError, match="older than a day"):
        approvals.approve(
            connection, customer="acme", approver="finance@albacore.example", code=code, now=desk.clock.now()
        )


# At the moment of the command


def test_the_kill_switch_stops_pauses_until_it_is_off(planned: Desk) -> None:
    turn_kill_switch(planned, on=True)
    planned.pause()
    assert planned.control.commands == []
    turn_kill_switch(planned, on=False)
    later(planned.clock)
    planned.pause()
    assert planned.control.commands == [f"off {MACHINE}"]


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2025-12-08T06:59", False),
        ("2025-12-08T07:00", True),
        ("2025-12-08T12:59", True),
        ("2025-12-08T13:00", False),
        ("2025-12-11T09:00", True),
        ("2025-12-12T09:00", False),
        ("2025-12-14T09:00", False),
        ("2026-06-01T06:00", True),
    ],
)
def test_the_hours_are_the_site_s_own(at: str, allowed: bool) -> None:
    """Monday to Thursday, eight to two in Oslo, in winter and in summer."""
    assert may_pause_now(SITES["norway"], utc(at)) is allowed


def test_outside_the_hours_the_machine_stays_on(planned: Desk) -> None:
    planned.night("2025-12-12T09:00")
    planned.pause()
    assert planned.control.commands == []
    planned.night("2025-12-15T09:00")
    planned.pause()
    assert planned.control.commands == [f"off {MACHINE}"]


def test_paid_meanwhile_cancels(planned: Desk) -> None:
    planned.xero.pay(NUMBER, "500")
    assert planned.pause() == {"cancelled": 1, "done": 3}
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "cancelled")]
    planned.night()
    assert planned.resume() == {}


def test_without_xero_the_machine_stays_on(planned: Desk) -> None:
    planned.xero.before = fails_xero
    planned.pause()
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "requested")]


def test_a_document_that_can_not_be_read_in_xero_keeps_its_machine_on(planned: Desk) -> None:
    planned.xero.unreadable = {f"id-{NUMBER}"}
    planned.pause()
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "requested")]


def test_a_machine_that_is_somebody_else_s_by_now_is_left_alone(planned: Desk) -> None:
    spans = [assignment(MACHINE, "acme", "2025-10-31", "2025-12-07"), assignment(MACHINE, "bolt", "2025-12-08")]
    with planned.engine.begin() as connection:
        register(
            connection,
            customers=[customer("acme"), customer("bolt")],
            assignments=spans,
            tariffs=[tariff("flat", "0.5")],
        )
    planned.pause()
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "cancelled")]


@pytest.mark.parametrize("number", [None, NUMBER])
def test_a_hold_at_the_last_moment_keeps_the_machine_on(planned: Desk, number: str | None) -> None:
    planned.hold(number)
    planned.pause()
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "requested")]


def test_a_final_notice_that_came_back_keeps_the_machine_on(planned: Desk) -> None:
    keys = "select answer ->> 'message_id' from albacore.effect where business_key = 'mail:step:3:pay@acme.example'"
    bounce = ReportBounce(actor="anna", reason="it came back", message_id=planned.ask(keys)[0][0])
    planned.perform("report_bounce", report_bounce, bounce)
    planned.pause()
    assert planned.control.commands == []


def test_a_machine_that_was_off_before_us_is_neither_paused_nor_resumed(planned: Desk) -> None:
    planned.control.states[MACHINE] = OFF
    planned.pause()
    assert planned.outcomes() == [(MACHINE, "pause", "cancelled")]
    planned.xero.pay(NUMBER, "500")
    planned.night()
    planned.resume()
    assert planned.control.commands == []


def test_a_machine_that_somebody_switched_off_while_we_waited_is_not_ours(planned: Desk) -> None:
    """The kill switch was on at our first attempt. Operations then switched the machine off for a repair."""
    turn_kill_switch(planned, on=True)
    planned.pause()
    planned.control.states[MACHINE] = OFF
    turn_kill_switch(planned, on=False)
    later(planned.clock)
    planned.pause()
    assert planned.outcomes() == [(MACHINE, "pause", "cancelled")]
    planned.xero.pay(NUMBER, "500")
    planned.night()
    planned.resume()
    assert planned.control.commands == []


# What the controls say and do


def test_a_2xx_is_no_proof(planned: Desk) -> None:
    planned.control.obeys = False
    planned.pause()
    assert planned.control.commands == [f"off {MACHINE}"]
    assert planned.outcomes() == [(MACHINE, "pause", "sent")]
    assert planned.read_back() == ([], [f"norway {MACHINE}"])
    planned.control.states[MACHINE] = OFF
    assert planned.read_back() == ([f"norway {MACHINE}"], [])
    assert planned.outcomes() == [(MACHINE, "pause", "verified")]


def test_a_state_that_can_not_be_read_is_not_verified_and_not_paused(planned: Desk) -> None:
    planned.control.before = fails("state")
    planned.pause()
    assert planned.control.commands == []
    assert planned.outcomes() == [(MACHINE, "pause", "requested")]


def test_a_command_whose_answer_was_lost_is_ours(planned: Desk) -> None:
    """The machine went off, the answer did not come, and for an hour nobody can read its state: still we resume it."""
    planned.control.after = fails("off")
    planned.pause()
    planned.control.after = lambda _: None
    planned.control.before = fails("state")
    later(planned.clock)
    planned.pause()
    planned.control.before = lambda _: None
    later(planned.clock)
    planned.pause()
    assert planned.control.commands == [f"off {MACHINE}"], "once"
    assert planned.outcomes() == [(MACHINE, "pause", "verified")]
    planned.xero.pay(NUMBER, "500")
    planned.night()
    planned.resume()
    assert planned.control.states == {MACHINE: ON}


def test_a_command_that_never_arrived_is_given_again(planned: Desk) -> None:
    planned.control.before = fails("off")
    planned.pause()
    planned.control.before = lambda _: None
    later(planned.clock)
    planned.pause()
    assert planned.outcomes() == [(MACHINE, "pause", "verified")]


def test_dying_in_the_middle_of_a_command_is_looked_up(planned: Desk) -> None:
    class Crash(BaseException):
        pass

    def die(word: str) -> None:
        if word == "off":
            raise Crash

    planned.control.after = die
    with pytest.raises(Crash):
        planned.pause()
    planned.control.after = lambda _: None
    planned.pause()
    assert planned.control.commands == [f"off {MACHINE}"]
    assert planned.outcomes() == [(MACHINE, "pause", "verified")]


def test_paid_while_the_pause_was_in_doubt_is_resumed(planned: Desk) -> None:
    planned.control.after = fails("off")
    planned.pause()
    planned.xero.pay(NUMBER, "500")
    later(planned.clock)
    planned.night()
    planned.control.after = lambda _: None
    planned.pause()
    planned.resume()
    assert planned.control.states == {MACHINE: ON}


def test_a_site_of_tickets_writes_one_and_waits_for_a_person(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(one_day("ET-0001", "acme"), policy=Policy(share_of_site_and_day=Decimal(1)))
    desk.run_chain()
    desk.plan()
    desk.pause()
    desk.pause()
    tickets = [mails for key, mails in desk.mail.sent.items() if key.startswith("mail:ticket:")]
    assert [(len(mails), mails[0]["to"], mails[0]["subject"]) for mails in tickets] == [
        (1, "operations.ethiopia@albacore.example", "Ticket: switch off ET-0001")
    ]
    assert desk.outcomes() == [("ET-0001", "pause", "sent")]
    form = acts.ConfirmPowerState(
        actor="abeba", reason="done at noon", site="ethiopia", machine="ET-0001", action="pause"
    )
    desk.perform("confirm_power_state", acts.confirm_power_state, form)
    with pytest.raises(LookupError, match="no pause of ethiopia ET-0001 waits"):
        desk.perform("confirm_power_state", acts.confirm_power_state, form)
    assert desk.outcomes() == [("ET-0001", "pause", "verified")]


def test_a_veto_stops_the_pause(desk: Desk) -> None:
    desk.run_chain()
    form = acts.VetoPause(actor="anna", reason="he called", customer="acme")
    desk.perform("veto_pause", acts.veto_pause, form)
    assert desk.plan() == []
    with desk.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from albacore.machine_command")).scalar_one() == 0
