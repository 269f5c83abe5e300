"""Whatever happens at whatever moment of a pause, a death of the process included; and everybody overdue at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.database import connect
from albacore_pipeline.machine_power import acts as power
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.escalation.desk import CHAIN_DAYS, PAUSE_DAY, Desk
from albacore_pipeline_tests.invoicing.fakes import later, one_day
from albacore_pipeline_tests.machine_power.life import POLICIES, Life, Outside, Shelves
from albacore_pipeline_tests.small_world import customer

NUMBER, MACHINE = "ALB-2025-000001", "NO-0001"
WHO = {"actor": "anna@albacore.example", "reason": "test"}
IDLE = ("NO-0002", "NO-0003", "NO-0004", "NO-0005")


@dataclass(frozen=True, kw_only=True)
class Start:
    """Acme's one machine on the day on which it may be paused, to be begun as often as one likes."""

    engine: sa.Engine
    shelves: Shelves
    outside: Outside

    @classmethod
    def of(cls, engine: sa.Engine, *, policy: Policy, until: str = PAUSE_DAY) -> Start:
        life = Life(engine=engine, clock=FrozenClock(utc("2025-11-01T06:00")))
        life.open_books(one_day(MACHINE, "acme"), idle=IDLE, policy=policy)
        life.write_documents()
        life.issue()
        for day in [each for each in CHAIN_DAYS if each < until]:
            life.night(day)
        life.clock.at = utc(until)
        life.night()
        shelves = Shelves(engine)
        shelves.keep("start")
        return cls(engine=engine, shelves=shelves, outside=Outside.of(life))

    def begin(self) -> Life:
        self.shelves.put_back("start")
        life = self.outside.life(self.engine)
        life.customers = [customer("acme"), customer("bolt")]
        return life


# What may happen


def it_is_paid(life: Life) -> None:
    life.xero.pay(NUMBER, "500")


def it_is_held(life: Life) -> None:
    life.hold(NUMBER)


def the_machine_is_handed_over(life: Life) -> None:
    today = life.clock.at.date()
    rows = [
        one_day(MACHINE, "acme", to_day=today - timedelta(days=1)),
        one_day(
            MACHINE,
            "bolt",
        ).model_copy(update={"from_day": today}),
    ]
    life.load(rows, policy="approved", customers=life.customers)


def it_is_vetoed(life: Life) -> None:
    life.perform("veto_pause", power.veto_pause, power.VetoPause(customer="acme", **WHO))


def the_kill_switch_is_turned(life: Life) -> None:
    life.perform("set_kill_switch", power.set_kill_switch, power.SetKillSwitch(on=True, **WHO))


HAPPENINGS = (it_is_paid, it_is_held, the_machine_is_handed_over, it_is_vetoed, the_kill_switch_is_turned)
Happening = Callable[[Life], None]

# The moments of a pause, in order. At each of the last, somebody else acts while the pauses run.

MOMENTS = (
    "before it is planned", "before the first approval", "between the approvals", "before it is carried out",
    "before Xero is asked", "after Xero answered", "before the machine is asked", "before the command",
    "after the command", "before it is read back", "after it was told",
)  # fmt: skip
RESOLVED = MOMENTS.index("before the command")  # from here on the command is on its way
ANSWERED = MOMENTS.index("after Xero answered")  # from here on a payment is not seen


@contextmanager
def _once(life: Life, moment: str, happening: Happening) -> Iterator[Callable[[str], None]]:
    """Called with each moment; at its own, it happens."""
    waiting = [happening]

    def at(now: str) -> None:
        if now == moment and waiting:
            waiting.pop()(life)

    states = 0

    def control_before(word: str) -> None:
        nonlocal states
        states += word == "state"
        at(
            {"off": "before the command"}.get(word)
            or ("before the machine is asked" if states == 1 else "before it is read back")
        )

    life.xero.before = lambda call: at("before Xero is asked") if call == "invoices_by_id" else None
    life.xero.after = lambda call: at("after Xero answered") if call == "unapplied" else None
    life.control.before = control_before
    life.control.after = lambda word: at("after the command")
    yield at
    assert not waiting, f"{moment} never came"


def _approve(life: Life, nth: int) -> None:
    """One of the two says yes, with the code of his mail; what is over can't be approved."""
    asked = [mail for mail in life.mail.taken if "approve_pause" in mail.text and "code:" in mail.text][-2:]
    (plan, approver, code) = re.findall(r"plan: (\d+) approver: (\S+) code: '?(\w+)", asked[nth].text)[0]
    form = power.ApprovePause(
        plan=int(plan), approver=approver, code=code, actor=["anna", "ben"][nth] + "@albacore.example", reason="test"
    )
    life.try_to(power.approve_pause, form)


def _pause(life: Life, at: Callable[[str], None]) -> None:
    at("before it is planned")
    life.plan()
    life.send_mails()
    at("before the first approval")
    _approve(life, 0)
    at("between the approvals")
    _approve(life, 1)
    at("before it is carried out")
    life.pause()
    at("after it was told")


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda each: each.__name__)
def test_whatever_happens_before_the_last_look_stops_the_command_and_after_it_the_machine_comes_back(
    make_database: Callable[[], str], happening: Happening
) -> None:
    start = Start.of(connect(make_database()), policy=POLICIES["approved"])
    for nth, moment in enumerate(MOMENTS):
        life = start.begin()
        life.plan()  # asks the two
        life.send_mails()
        with _once(life, moment, happening) as at:
            _pause(life, at)
        unseen = nth >= (ANSWERED if happening is it_is_paid else RESOLVED)
        commanded = [f"off {MACHINE}"] if unseen else []
        assert life.control.commands == commanded, (moment, life.control.commands, life.outcomes())
        later(life.clock)
        life.night()
        life.resume()
        stands = unseen and happening is the_kill_switch_is_turned
        assert life.control.states.get(MACHINE, PowerState.ON) is (PowerState.OFF if stands else PowerState.ON), moment
        assert sum(command.startswith("on") for command in life.control.commands) == (unseen and not stands), moment


# Death


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


class Failpoints:
    """Kills at the n-th commit of a transaction, or before or after a call to a control or the journal."""

    def __init__(self, life: Life, nth: int) -> None:
        self.left = nth
        self.life = life
        life.control.before = life.control.after = self.reached
        append = life.archive.append

        def dangerous(journal: str, name: str, content: bytes) -> None:
            self.reached("before")
            append(journal, name, content)
            self.reached("after")

        life.archive.append = dangerous  # type: ignore[method-assign]
        sa.event.listen(life.engine, "commit", self.reached)

    def reached(self, _: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def over(self) -> bool:
        """No more deaths; whether there was one."""
        sa.event.remove(self.life.engine, "commit", self.reached)
        died, self.left = self.left <= 0, -1
        return died


def _work(life: Life) -> None:
    """A pause, the payment once the machine stands still, and the resume."""
    life.pause()
    if life.xero.documents[NUMBER].open and life.control.states.get(MACHINE) is PowerState.OFF:
        life.xero.pay(NUMBER, "500")
    life.night()
    life.resume()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_a_death_at_any_point_of_a_pause_or_a_resume_ends_the_same(
    make_database: Callable[[], str], every: int
) -> None:
    """A neighbour that operations had switched off is never ours. Every fifth point; all of them with `slow`."""
    start = Start.of(connect(make_database()), policy=Policy(share_of_site_and_day=Decimal(1)))
    nth, died = 1 - every, True
    while died:
        nth += every
        life = start.begin()
        life.control.states["NO-0002"] = PowerState.OFF
        life.control.seen = lambda word, machine, life=life: _recorded(life, word, machine)  # type: ignore[misc]
        points = Failpoints(life, nth)
        with suppress(Killed):
            _work(life)
        died = points.over()
        life.engine.dispose()
        for _ in range(2):
            _work(life)
            later(life.clock, minutes=20)
        _is_right(life, nth)
    assert nth > 30


def _recorded(life: Life, word: str, machine: str) -> None:
    """No command without its record, in the database and in the journal."""
    action = {"off": "pause", "on": "resume"}[word]
    assert life.ask(
        "select 1 from report.machine_commands"
        " where machine = :machine and action = :action and commanded_at is not null",
        machine=machine, action=action,
    )  # fmt: skip
    assert any(entry.kind == action for entry in life.journal.since("power", None))


def _is_right(life: Life, nth: int) -> None:
    assert life.control.states == {MACHINE: PowerState.ON, "NO-0002": PowerState.OFF}, (nth, life.outcomes())
    assert {command.split()[1] for command in life.control.commands} == {MACHINE}, nth
    assert life.cases() == {NUMBER: ("closed", "paid")}, nth
    mails = {mail.message_id: mail for mail in life.mail.taken if mail.to.startswith("pay@")}  # a resend has the same
    said = Counter(mail.subject for mail in mails.values())
    assert set(said.values()) == {1}, (nth, said)
    assert not life.ask("select 1 from albacore.effect where state in ('prepared', 'sending', 'unknown')"), nth


# Everybody at once


def test_when_everybody_is_overdue_at_once_by_bad_data_nothing_is_paused_above_the_caps(
    engine: sa.Engine, clock: FrozenClock
) -> None:
    """Eight customers with three machines each; a day has three customers, and four machines (a fifth of the site)."""
    desk = Desk(engine=engine, clock=clock)
    owner = {f"off NO-{nth:04}": f"c{nth // 3}" for nth in range(24)}
    desk.open_books(*(one_day(command.split()[1], name) for command, name in owner.items()), policy=Policy())
    desk.write_documents()
    desk.issue()
    desk.run_chain()
    for day in ("2025-12-08", "2025-12-09", "2025-12-10"):
        before = len(desk.control.commands)
        for hour in (7, 8, 10, 12, 13):
            clock.at = utc(f"{day}T{hour:02}:00")
            desk.read_xero()
            desk.pause()
        commands = desk.control.commands[before:]
        assert len(set(commands)) == len(commands) == 4, (day, commands)
        assert len({owner[command] for command in commands}) <= 3, (day, commands)
