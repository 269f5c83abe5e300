"""Pausing behind every gate and reading back. Whatever is unknown leaves the machine on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.machine_power import acts
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.xero.interface import AnswerLost
from albacore_pipeline_tests.escalation.desk import Desk, fails
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.small_world import assignment, customer, register, tariff

NUMBER = "ALB-2025-000001"
MACHINE = "NO-0001"
ON, OFF = PowerState.ON, PowerState.OFF
WIDE = Policy(share_of_site_and_day=Decimal(1), customers_per_day=9)
MakeDesk = Callable[..., Desk]


def turn_kill_switch(desk: Desk, *, on: bool) -> None:
    desk.perform("set_kill_switch", acts.set_kill_switch, acts.SetKillSwitch(actor="anna", reason="test", on=on))


def hand_over(desk: Desk, *spans: Assignment) -> None:
    """The registry says otherwise from now on."""
    with desk.engine.begin() as connection:
        register(
            connection,
            customers=[customer("acme"), customer("bolt")],
            assignments=list(spans),
            tariffs=[tariff("flat", "0.5")],
        )


def fails_xero(_: str) -> None:
    raise AnswerLost("Xero answered 500")


def error_of(desk: Desk) -> str:
    """Why the pause waits or was cancelled."""
    ((error,),) = desk.ask("select coalesce(error, '') from albacore.effect where kind = 'power.pause'")
    return str(error)


# Before a command is written


def test_nothing_is_planned_before_the_day_that_was_promised(desk: Desk) -> None:
    desk.run_chain(at="2025-12-05T09:00")
    assert desk.plan() == []


def test_each_machine_of_a_plan_is_commanded_once(ready: Desk) -> None:
    ready.pause()
    assert (ready.plan(), ready.carry_out()) == ([], {})
    assert ready.control.commands == [f"off {MACHINE}"]


def test_the_record_names_documents_and_plan(ready: Desk) -> None:
    ready.pause()
    ((details,),) = ready.ask("select details from report.audit where action = 'command_pause'")
    assert (details["customer"], details["documents"]) == ("acme", [NUMBER])
    assert ready.ask("select stage, number from report.escalation where stage = 'paused'") == [("paused", NUMBER)]


# The gates, asked at the moment of the command


def test_the_kill_switch_stops_pauses_until_it_is_off(ready: Desk) -> None:
    turn_kill_switch(ready, on=True)
    ready.pause()
    assert (ready.control.commands, error_of(ready)) == ([], "the kill switch is on")
    turn_kill_switch(ready, on=False)
    later(ready.clock)
    ready.pause()
    assert ready.control.commands == [f"off {MACHINE}"]


def test_without_a_live_word_of_xero_the_machine_stays_on(ready: Desk) -> None:
    ready.xero.before = fails_xero
    ready.pause()
    assert (ready.control.commands, error_of(ready)) == ([], "no live word from Xero: Xero answered 500")


def test_an_answer_without_the_document_is_no_word_on_it(ready: Desk) -> None:
    ready.plan()
    ready.xero.empty = {"invoices_by_id"}
    ready.carry_out()
    assert ready.control.commands == []
    assert error_of(ready).startswith(("Xero's answer lacks", "no live word from Xero"))


def test_paid_at_the_last_moment_cancels(ready: Desk) -> None:
    ready.plan()
    ready.xero.pay(NUMBER, "500")
    ready.carry_out()
    assert ready.control.commands == []
    assert ready.resume() == {}, "it never stood still"


@pytest.mark.parametrize("number", [None, NUMBER])
def test_a_hold_at_the_last_moment_keeps_the_machine_on_for_good(ready: Desk, number: str | None) -> None:
    ready.plan()
    ready.hold(number)
    ready.carry_out()
    assert ready.outcomes() == [(MACHINE, "pause", "cancelled")]
    assert "on hold (dispute)" in error_of(ready)


def test_a_machine_that_is_somebody_else_s_by_now_is_left_alone(ready: Desk) -> None:
    ready.plan()
    hand_over(ready, assignment(MACHINE, "acme", "2025-10-31", "2025-12-07"), assignment(MACHINE, "bolt", "2025-12-08"))
    ready.carry_out()
    assert (ready.control.commands, ready.outcomes()) == ([], [(MACHINE, "pause", "cancelled")])


@pytest.mark.parametrize("state", ["repair", "free"])
def test_a_machine_that_is_not_rented_is_left_alone(ready: Desk, state: str) -> None:
    ready.plan()
    hand_over(
        ready,
        assignment(MACHINE, "acme", "2025-10-31", "2025-12-07"),
        assignment(MACHINE, "acme", "2025-12-08", state=state),
    )
    ready.carry_out()
    assert ready.control.commands == []


def test_a_due_date_that_finance_moved_in_xero_keeps_the_machine_on(ready: Desk) -> None:
    ready.plan()
    ready.xero.documents[NUMBER].change(due_on=ready.clock.now().date() + timedelta(days=60))
    ready.carry_out()
    assert ready.control.commands == []
    assert "changed in Xero" in error_of(ready)


def test_money_that_nobody_applied_keeps_the_machine_on(ready: Desk) -> None:
    ready.plan()
    ready.xero.receive("500")
    ready.carry_out()
    assert ready.control.commands == []


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2025-12-08T06:00", "outside the site's hours"),
        ("2025-12-12T09:00", "outside the site's hours"),
        ("2025-12-24T09:00", "2025-12-24 is the eve of a day off in NO"),
        ("2025-12-25T09:00", "2025-12-25 is no business day in NO"),
        ("2025-12-31T09:00", "2025-12-31 is the eve of a day off in NO"),
    ],
)
def test_pauses_keep_the_site_s_hours_and_no_eve_of_a_day_off(desk: Desk, at: str, why: str) -> None:
    desk.run_chain(at)
    desk.pause()
    assert desk.control.commands == []
    assert why in error_of(desk)


@pytest.mark.parametrize(
    ("which", "why"), [("xero_clock", "Xero's 2025-12-08 09:03"), ("host_clock", "the database's")]
)
def test_time_that_two_sources_disagree_on_keeps_the_machine_on(ready: Desk, which: str, why: str) -> None:
    ready.plan()
    setattr(ready, which, timedelta(minutes=3))
    ready.carry_out()
    assert ready.control.commands == []
    assert why in error_of(ready)


def test_in_a_real_world_both_countries_must_be_signed_off(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("FI-0001", "acme"), policy=WIDE)
    desk.signed_off = True
    desk.run_chain()
    desk.pause()
    for country in ("NO", "FI"):
        assert error_of(desk) == f"nobody has signed off pauses for {country}: sign_off_country"
        assert f"may machines be paused in {country}?" in desk.tasks()
        form = acts.SignOffCountry(actor="a", reason="r", country=country, until="2026-12-31", reference="opinion 7")
        desk.perform("sign_off_country", acts.sign_off_country, form)
        later(desk.clock, hours=1, minutes=1)
        desk.pause()
    assert desk.control.commands == ["off FI-0001"]


# How many


def test_the_caps_count_what_was_commanded_that_day_whenever_it_was_planned(make_desk: MakeDesk) -> None:
    """Five debtors come to their end over a weekend: on Monday no more stand still than the policy allows."""
    names = ["acme", "bolt", "cask", "dale", "east"]
    machines = [one_day(f"NO-000{number}", name) for number, name in enumerate(names, start=1)]
    desk = make_desk(*machines, policy=Policy(share_of_site_and_day=Decimal("0.5"), customers_per_day=4))
    desk.run_chain("2025-12-13T09:00")
    desk.plan()
    desk.night("2025-12-15T09:00")
    desk.pause()
    assert len(desk.control.commands) == 2
    later(desk.clock, hours=2)
    desk.pause()
    assert len(desk.control.commands) == 2, "asked again the same day"
    desk.night("2025-12-16T09:00")
    desk.pause()
    assert len(desk.control.commands) == 4, "two more the next day"


@pytest.mark.parametrize(
    ("policy", "most"),
    [
        (Policy(), 1),  # a fifth of five
        (Policy(share_of_site_and_day=Decimal(1), machines_per_site_and_day=1), 1),
        (Policy(share_of_site_and_day=Decimal(1), customers_per_day=0), 0),
        (Policy(share_of_site_and_day=Decimal("0.4")), 2),
    ],
)
def test_the_blast_radius_is_capped(make_desk: MakeDesk, policy: Policy, most: int) -> None:
    machines = [one_day("NO-0001", "acme"), one_day("NO-0002", "acme")]
    desk = make_desk(*machines, policy=policy, idle=("NO-0003", "NO-0004", "NO-0005"))
    desk.run_chain()
    desk.pause()
    assert len(desk.control.commands) == most


def test_everybody_overdue_at_once_pauses_nobody_above_the_caps(make_desk: MakeDesk) -> None:
    machines = [one_day(f"NO-{number:04}", f"c{number:02}") for number in range(1, 31)]
    desk = make_desk(*machines, policy=Policy())
    desk.run_chain()
    desk.pause()
    assert len(desk.control.commands) == 3, "three customers, a fifth of thirty machines"


# What the controls say and do


def test_a_machine_that_was_off_before_us_is_neither_paused_nor_resumed(ready: Desk) -> None:
    ready.control.states[MACHINE] = OFF
    ready.pause()
    assert ready.outcomes() == [(MACHINE, "pause", "cancelled")]
    ready.xero.pay(NUMBER, "500")
    ready.night()
    ready.resume()
    assert ready.control.commands == []


def test_a_machine_that_somebody_switched_off_while_we_waited_is_not_ours(ready: Desk) -> None:
    """The kill switch was on at our first attempt. Operations then switched the machine off for a repair."""
    turn_kill_switch(ready, on=True)
    ready.pause()
    ready.control.states[MACHINE] = OFF
    turn_kill_switch(ready, on=False)
    later(ready.clock)
    ready.pause()
    assert ready.outcomes() == [(MACHINE, "pause", "cancelled")]


def test_killed_between_claim_and_command_a_machine_that_is_off_is_not_ours(ready: Desk) -> None:
    class Killed(BaseException):
        pass

    def die(word: str) -> None:
        if word == "state":
            raise Killed

    ready.plan()
    ready.control.before = die
    with pytest.raises(Killed):
        ready.carry_out()
    ready.control.before = lambda _: None
    ready.control.states[MACHINE] = OFF  # operations, meanwhile
    ready.pause()
    ready.xero.pay(NUMBER, "500")
    ready.night()
    ready.resume()
    assert ready.control.commands == []


def test_dying_after_the_command_is_looked_up(ready: Desk) -> None:
    class Killed(BaseException):
        pass

    def die(word: str) -> None:
        if word == "off":
            raise Killed

    ready.plan()
    ready.control.after = die
    with pytest.raises(Killed):
        ready.carry_out()
    ready.control.after = lambda _: None
    ready.pause()
    assert ready.control.commands == [f"off {MACHINE}"], "once"
    assert ready.outcomes() == [(MACHINE, "pause", "verified")]


def test_a_command_whose_answer_was_lost_is_ours(ready: Desk) -> None:
    """The machine went off, the answer did not come, and nobody can read its state: paid, it runs again."""
    ready.plan()

    def lost(word: str) -> None:
        if word == "off":
            ready.control.before = fails("state")
            fails("off")(word)

    ready.control.after = lost
    ready.carry_out()
    later(ready.clock, hours=2)
    ready.pause()
    assert f"nobody knows whether norway {MACHINE} is off" in ready.tasks()
    ready.xero.pay(NUMBER, "500")
    later(ready.clock)
    ready.night()
    ready.control.before = lambda _: None
    ready.resume()
    assert ready.control.states == {MACHINE: ON}


def test_a_control_that_lies_stops_the_site_after_one_machine_and_its_people_are_told(make_desk: MakeDesk) -> None:
    machines = [one_day(f"NO-000{number}", "acme") for number in range(1, 5)]
    desk = make_desk(*machines, policy=WIDE)
    desk.control.obeys = False
    desk.run_chain()
    desk.pause()
    assert len(desk.control.commands) == 1
    assert "pausing at norway is stopped" in desk.tasks()
    later(desk.clock, days=1)
    desk.night()
    desk.pause()
    assert len(desk.control.commands) == 1, "until a person has looked"
    assert desk.mails("operations@albacore.example")
    desk.control.obeys = True
    form = acts.ClearSiteStop(actor="ola", reason="the firmware lied", site="norway")
    desk.perform("clear_site_stop", acts.clear_site_stop, form)
    later(desk.clock)
    desk.pause()
    assert len(desk.control.commands) == 4


def test_a_control_that_switches_a_neighbour_too_stops_the_site(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("NO-0001", "acme"), one_day("NO-0002", "acme"), policy=WIDE, idle=("NO-0003",))

    def hit(word: str) -> None:
        if word == "off":
            desk.control.states["NO-0003"] = OFF

    desk.run_chain()
    desk.control.after = hit
    desk.pause()
    assert desk.control.commands == ["off NO-0001"]
    ((why,),) = desk.ask("select reason from albacore.site_stop")
    assert why == "off after the command to NO-0001, and not commanded: NO-0003"


def test_a_control_that_is_not_set_up_holds_up_no_other_site(make_desk: MakeDesk) -> None:
    desk = make_desk(one_day("FI-0001", "acme"), one_day("NO-0001", "bolt"), policy=WIDE)
    desk.run_chain()
    desk.control.before = fails("state")
    desk.pause()
    assert desk.control.commands == []
    desk.control.before = lambda _: None
    later(desk.clock)
    desk.pause()
    assert sorted(desk.control.commands) == ["off FI-0001", "off NO-0001"]


def test_one_live_read_for_a_wave(make_desk: MakeDesk) -> None:
    machines = [one_day(f"NO-00{number:02}", "acme") for number in range(1, 31)]
    desk = make_desk(*machines, policy=WIDE)
    desk.run_chain()
    desk.plan()
    desk.xero.calls.clear()
    desk.carry_out()
    assert len(desk.control.commands) == 20 == WIDE.machines_per_site_and_day
    assert desk.xero.calls["invoices_by_id"] == 1


# Vetoes and approvals


def test_a_veto_after_planning_stops_it_for_good(ready: Desk) -> None:
    ready.plan()
    ready.perform("veto_pause", acts.veto_pause, acts.VetoPause(actor="anna", reason="he called", customer="acme"))
    for _ in range(40):
        later(ready.clock, days=1)
        ready.night()
        ready.pause()
    assert ready.control.commands == []
    assert ready.cases()[NUMBER][0] == "held" and "reopen_case" in ready.cases()[NUMBER][1]
    assert "the pause of acme was vetoed" in ready.tasks()
