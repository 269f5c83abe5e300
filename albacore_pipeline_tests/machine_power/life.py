"""A small world that lives: three customers, five documents, machines at two sites, and everybody's mistakes.

Belongs here: the world outside (a relay, a control and a Xero that remember what they saw), the days and acts of the
office, and shelves from which its database is put back within milliseconds.
Does not belong here: what must be true of it (`laws.py`), and in which order things happen (`test_life.py`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline.effects.acts import Act, Done, Form
from albacore_pipeline.effects.interface import Effect, Later, Outcome, Succeeded
from albacore_pipeline.effects.mail import message_id
from albacore_pipeline.machine_power import journal
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.rows import Assignment, Customer
from albacore_pipeline.registry.stages import DEFAULT_STAGES, Does, Need, StageRule
from albacore_pipeline.xero.interface import AnswerLost, Invoice, Read, Reading, Seen, Unapplied
from albacore_pipeline_tests.clocks import FrozenClock, utc
from albacore_pipeline_tests.escalation.desk import Desk, FakeControl
from albacore_pipeline_tests.invoicing.fakes import LAST_DAY, FakeMail, FakeXero, one_day
from albacore_pipeline_tests.small_world import collect, customer, register, site_of, tariff

CUSTOMERS = {"acme": "NO", "bolt": "NO", "coda": "FI"}
HOLDERS = {
    "NO-0001": "acme", "NO-0002": "acme", "ET-0001": "acme", "NO-0003": "bolt", "ET-0002": "bolt", "NO-0004": "coda",
}  # fmt: skip
MORE = {"NO-0001": 1_200_000, "ET-0002": 1_200_000}  # what a correction of October finds for these
BEGINS = utc("2025-11-13T09:00")
TICKETS = "operations.ethiopia@albacore.example"


def _waits(**days: int) -> tuple[StageRule, ...]:
    return tuple(
        rule.model_copy(update={"business_days": days.get(rule.stage, rule.business_days)}) for rule in DEFAULT_STAGES
    )


def _policy(**given: Any) -> Policy:
    return Policy(machines_per_site_and_day=1, share_of_site_and_day=Decimal(1), customers_per_day=2, **given)


POLICIES = {
    "usual": _policy(),
    "quick": _policy(stages=_waits(overdue=1, final_notice=1, pause_scheduled=1)),
    "slow": _policy(stages=_waits(overdue=5, final_notice=9, pause_scheduled=9, paused=3)),
    "high minimum": _policy(minimum_due={"NOK": Decimal(150)}),
    "approved": _policy(
        stages=tuple(
            rule.model_copy(update={"needs": (Need.APPROVAL,)}) if rule.does is Does.PAUSE else rule
            for rule in DEFAULT_STAGES
        )
    ),
}

KINDS = {
    "Invoice": "invoice", "Payment due soon": "upcoming", "Reminder": "reminder", "Second reminder": "overdue",
    "Final notice": "final", "Your machines will be paused": "scheduled", "Still not paid": "scheduled",
    "Your machines were switched off": "paused", "Your machines are running": "running",
    "The announced pause": "withdrawn",
}  # fmt: skip
AMOUNT = r"NOK ([\d,]+\.\d\d)"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as its reader has it. `still` is what it says is still to pay, by document; `claimed` is their sum."""

    at: datetime
    to: str
    kind: str
    subject: str
    text: str
    message_id: str
    still: dict[str, Decimal] = field(default_factory=dict)
    claimed: Decimal = Decimal(0)
    machines: frozenset[tuple[str, str]] = frozenset()  # with the document beside each
    not_before: date | None = None


def read(*, at: datetime, payload: Any, key: str) -> Mail:
    """What a person reads in a mail."""
    subject = str(payload["subject"])
    text = " ".join(str(payload["text"]).split())
    overdue = text.partition("Overdue and claimed")[2]
    claimed = re.search(f"Claimed: {AMOUNT}", overdue)
    promised = re.search(r"not before (\d+ \w+ \d{4})", text)
    return Mail(
        at=at,
        to=payload["to"],
        kind=next((kind for begins, kind in KINDS.items() if subject.startswith(begins)), ""),
        subject=subject,
        text=text,
        message_id=key,
        still={
            number: _amount(left)
            for number, left in re.findall(
                rf"Document: (\S+) Month: [^:]*Invoiced: {AMOUNT} Still to pay: {AMOUNT}".replace(
                    AMOUNT, r"NOK [\d,.]+", 1
                ),
                overdue.partition("Claimed:")[0],
            )
        },
        claimed=_amount(claimed[1]) if claimed else Decimal(0),
        machines=frozenset(re.findall(r"(?:norway|ethiopia) ([A-Z]{2}-\d{4}) (ALB-\d{4}-\d{6})", text)),
        not_before=datetime.strptime(promised[1], "%d %B %Y").date() if promised else None,
    )


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


@dataclass(kw_only=True)
class Relay(FakeMail):
    """A relay that can be down, and says of each mail that it takes."""

    down: bool = False
    taken: list[Mail] = field(default_factory=list)
    true_now: Callable[[], datetime] = lambda: utc("2025-11-01")
    seen: Callable[[Mail], None] = lambda _: None

    def send(self, effects: Sequence[Effect]) -> list[Outcome]:
        if self.down:
            return [Later("the relay does not answer") for _ in effects]
        return [self._take(effect) for effect in effects]

    def _take(self, effect: Effect) -> Outcome:
        identity = message_id(business_key=effect.business_key, sender=self.sender)
        payload = dict(effect.payload)
        for name, value in self.fill(effect).items():
            payload["text"] = payload["text"].replace(f"{{{name}}}", value)
        mail = read(at=self.true_now(), payload=payload, key=identity)
        self.seen(mail)
        self.taken.append(mail)
        return Succeeded({"accepted_at": self.clock.now().isoformat(), "message_id": identity})


@dataclass
class Switches(FakeControl):
    """The switches of every machine, by an interface in one country and by hand in the other.

    `manner`: obeys; idle (answers and does nothing); other (switches another machine off); lost (obeys, and the answer
    is lost); down (no answer at all).
    """

    manner: str = "obeys"
    seen: Callable[[str, str], None] = lambda word, machine: None

    def power_state(self, machine: str) -> PowerState:
        self.before("state")
        if self.manner == "down":
            raise PowerFailure("no answer")
        return self.states.get(machine, PowerState.ON)

    def _switch(self, word: str, machine: str, state: PowerState) -> None:
        if self.manner == "down":
            raise PowerFailure("no answer")
        self.before(word)
        self.seen(word, machine)
        self.commands.append(f"{word} {machine}")
        if self.manner == "other":
            self.states[next(each for each in HOLDERS if each[:2] == "NO" and each != machine)] = state
        elif self.manner != "idle":
            self.states[machine] = state
        self.after(word)
        if self.manner == "lost":
            raise PowerFailure("the answer was lost")


class Ledger(FakeXero):
    """A Xero that says what it showed. `silent`: it answers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = False
        self.shown: Callable[[Sequence[Invoice]], None] = lambda _: None
        self.shown_money: Callable[[Sequence[Unapplied]], None] = lambda _: None

    def invoices_by_id(self, ids: Sequence[str]) -> Reading[Read[Invoice]]:
        self._speak()
        reading = super().invoices_by_id(ids)
        self.shown([each.value for each in reading.elements if isinstance(each, Seen)])
        return reading

    def unapplied(self) -> Reading[Unapplied]:
        self._speak()
        reading = super().unapplied()
        self.shown_money(reading.elements)
        return reading

    def _speak(self) -> None:
        if self.silent:
            raise AnswerLost("Xero answered 503")


@dataclass(kw_only=True)
class Life(Desk):
    """The office and its world."""

    xero: Ledger = field(default_factory=Ledger)
    control: Switches = field(default_factory=Switches)
    customers: list[Customer] = field(default_factory=list)
    mail: Relay = field(init=False)

    def __post_init__(self) -> None:
        self.mail = Relay(clock=self.clock, true_now=self.true_now)

    def true_now(self) -> datetime:
        """The instant that it is, whatever the Clock says."""
        return self.clock.at + self.xero_clock

    def begin(self) -> None:
        """Five documents: an invoice for each customer, and a supplement for two of them, due eleven days later."""
        self.customers = [customer(name, country=country) for name, country in CUSTOMERS.items()]
        self.open_books(
            *(one_day(machine, holder) for machine, holder in HOLDERS.items()),
            customers=self.customers,
            policy=POLICIES["usual"],
        )
        self.write_documents()
        self.issue()
        self.clock.at = utc("2025-11-12T06:00")
        with self.engine.begin() as connection:
            for site in ("norway", "ethiopia"):
                there = {name: MORE.get(name, 1_000_000) for name in HOLDERS if site_of(name) == site}
                collect(connection, site=site, day=LAST_DAY, machines=there)
        self.write_documents()
        self.issue()
        self.clock.at = BEGINS

    def load(self, assignments: Sequence[Assignment], *, policy: str, customers: Sequence[Customer]) -> None:
        """Load a registry."""
        with self.engine.begin() as connection:
            register(
                connection, customers=customers, assignments=assignments, tariffs=[tariff("flat", "0.5")],
                policy=POLICIES[policy],
            )  # fmt: skip

    def pause(self) -> dict[str, int]:
        """As the job does: what the journal knows comes first."""
        journal.adopt(engine=self.engine, journal=self.journal)
        return super().pause()

    def tick(self) -> None:
        """A night and the hours after it, as the schedules run them."""
        self.night_if_xero_speaks()
        self.pause()
        self.resume()

    def night_if_xero_speaks(self) -> None:
        """Read what Xero says; evaluate whatever it said, and send what follows."""
        try:
            self.read_xero()
        except AnswerLost:
            assert self.xero.silent
        self.evaluate()
        self.send_mails()

    def try_to(self, act: Act[Form, Done], form: Form) -> str:
        """What a person tries; empty, or why it was refused."""
        try:
            self.perform(act.__name__, act, form)
        except (LookupError, ValueError) as refused:
            return str(refused)
        return ""


@dataclass(kw_only=True)
class Outside:
    """What is outside of the database, as it can be put back."""

    at: datetime
    xero: dict[str, Any]
    archive: dict[str, Any]
    taken: list[Mail]
    states: dict[str, PowerState]

    @classmethod
    def of(cls, life: Life) -> Outside:
        """As it is now."""
        return cls(
            at=life.clock.at,
            xero=copy.deepcopy(
                {name: getattr(life.xero, name) for name in ("contacts", "documents", "files", "money")}
            ),
            archive=copy.deepcopy(vars(life.archive)),
            taken=list(life.mail.taken),
            states=dict(life.control.states),
        )

    def life(self, engine: sa.Engine) -> Life:
        """A world as it was, on a database that is put back by its shelf."""
        life = Life(engine=engine, clock=FrozenClock(self.at))
        for name, value in copy.deepcopy(self.xero).items():
            setattr(life.xero, name, value)
        vars(life.archive).update(copy.deepcopy(self.archive))
        life.mail.taken[:] = self.taken
        life.control.states.update(self.states)
        life.customers = [customer(name, country=country) for name, country in CUSTOMERS.items()]
        return life


class Shelves:
    """Copies of a database's rows within itself: kept and put back in milliseconds, its sequences too."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.connect() as connection:
            rows = connection.execute(sa.text(_TABLES)).all()
        self._columns = {row.name: row.columns for row in rows}
        self._made: set[str] = set()

    def keep(self, shelf: str) -> None:
        """Keep the rows as they are."""
        if shelf not in self._made:
            self._make(shelf)
        self._run(f"call {shelf}.keep()")

    def put_back(self, shelf: str) -> None:
        """Make the rows those that were kept."""
        self._run(f"call {shelf}.put_back()")

    def _make(self, shelf: str) -> None:
        self._made.add(shelf)
        keep, back, tables = [], [], []
        for name, columns in self._columns.items():
            tables.append(f"create unlogged table {shelf}.{name} as table albacore.{name} with no data")
            keep.append(f"delete from {shelf}.{name}; insert into {shelf}.{name} select * from albacore.{name};")
            back.append(
                f"delete from albacore.{name}; insert into albacore.{name} ({columns}) overriding system value"
                f" select {columns} from {shelf}.{name};"
            )
        self._run(
            f"create schema {shelf}; create unlogged table {shelf}.counters (name text, at bigint);"
            + ";".join(tables)
            + _procedure(f"{shelf}.keep", "".join(keep) + f"delete from {shelf}.counters; insert into {shelf}.counters"
                " select sequencename, last_value from pg_sequences where schemaname = 'albacore';")
            + _procedure(f"{shelf}.put_back", "".join(back)
                + "perform setval(('albacore.' || quote_ident(name))::regclass,"
                f" coalesce(at, 1), at is not null) from {shelf}.counters;")
        )  # fmt: skip

    def _run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")
            connection.exec_driver_sql(statement)


def _procedure(name: str, body: str) -> str:
    return f"; create procedure {name}() language plpgsql as $body$ begin {body} end $body$"


_TABLES = """
select relname as name, string_agg(quote_ident(attname), ', ' order by attnum) as columns
from pg_class join pg_attribute on attrelid = pg_class.oid
where relnamespace = 'albacore'::regnamespace and relkind = 'r'
    and attnum > 0 and not attisdropped and attgenerated = ''
group by relname
"""


def days(count: float) -> timedelta:
    """So many days."""
    return timedelta(days=count)
