"""What must be true of every life, by what the world outside saw: mails, commands, Xero's own state, and people's acts.

Belongs here: a model that is told what people do and what the world sees, and that knows nothing of how the product
decides. `Books` is what people told the database, and is put back with it.
Does not belong here: the world (`life.py`), and in which order things happen (`test_life.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.registry.rows import Assignment
from albacore_pipeline.registry.stages import Does, Need
from albacore_pipeline.sites import SITES
from albacore_pipeline.xero.interface import Invoice, Status, Unapplied
from albacore_pipeline_tests.invoicing.fakes import one_day
from albacore_pipeline_tests.machine_power.life import BEGINS, CUSTOMERS, HOLDERS, MORE, POLICIES, TICKETS, Life, Mail
from albacore_pipeline_tests.small_world import site_of

CHAIN = ("reminder", "overdue", "final", "scheduled")
DAY = timedelta(days=1)
DAYS_OFF = {  # of the winter and spring that a life may see, besides weekends
    country: frozenset(days.split())
    for country, days in {
        "NO": "2025-12-25 2025-12-26 2026-01-01 2026-04-02 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25",
        "FI": "2025-12-24 2025-12-25 2025-12-26 2026-01-01 2026-01-06 2026-04-03 2026-04-06 2026-05-01 2026-05-14",
        "ET": "2026-01-07 2026-01-19 2026-03-02 2026-03-20 2026-04-10 2026-04-13 2026-05-01 2026-05-05 2026-05-28",
    }.items()
}


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Whom it keeps out: a customer, a document, or lines of one."""

    customer: str
    number: str
    lines: frozenset[int]
    since: datetime
    until: datetime

    def at(self, instant: datetime) -> bool:
        """Whether it is in force."""
        return self.since <= instant < self.until


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What Xero shows of an invoice."""

    left: Decimal
    due_on: date | None

    @classmethod
    def of(cls, invoice: Invoice) -> Shown:
        """As much as is left of it; nothing of a voided one."""
        return cls(
            left=Decimal(0) if invoice.status is Status.VOIDED else invoice.amount_due, due_on=invoice.due_on
        )  # fmt: skip


@dataclass(kw_only=True)
class Books:
    """What people told the database, and what it could know of Xero: put back with it."""

    rows: list[Assignment] = field(
        default_factory=lambda: [one_day(machine, name) for machine, name in HOLDERS.items()]
    )
    policy: str = "usual"
    holds: list[Hold] = field(default_factory=list)
    bounced: dict[str, datetime] = field(default_factory=dict)  # by Message-ID
    unmended: set[str] = field(default_factory=set)  # documents whose own mail came back
    given_up: set[str] = field(default_factory=set)
    fell: dict[str, datetime] = field(default_factory=dict)  # when a plan for the document fell for good, last
    kill_switch: bool = False
    stopped_sites: set[str] = field(default_factory=set)
    approved: dict[int, set[str]] = field(default_factory=dict)  # by plan: who has
    known: dict[str, Shown] = field(default_factory=dict)
    payments: dict[str, set[str]] = field(default_factory=dict)  # those that Xero showed last
    begun: dict[str, datetime] = field(default_factory=dict)  # a reversal was seen: the document's chain began anew
    money: tuple[Unapplied, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan as two people were asked about it."""

    plan: int
    customer: str
    machines: frozenset[str]
    codes: dict[str, str]  # by approver


@dataclass(frozen=True, kw_only=True)
class Command:
    """A machine that was commanded off, or whose ticket left."""

    at: datetime
    machine: str
    customer: str


@dataclass
class Laws:
    """Watches a life. Every breach raises AssertionError with what happened."""

    life: Life
    books: Books = field(default_factory=Books)
    ours: dict[str, bool] = field(default_factory=dict)  # machines that are off by our command
    commands: list[Command] = field(default_factory=list)
    again: dict[str, datetime] = field(default_factory=dict)  # since when a document's notices may be said again
    plan_again: dict[str, datetime] = field(default_factory=dict)  # ... the one that schedules
    plans: dict[int, Plan] = field(default_factory=dict)
    resumed: set[str] = field(default_factory=set)  # machines that were commanded on since

    def __post_init__(self) -> None:
        life = self.life
        life.mail.seen, life.control.seen = self.mail, self.command
        life.xero.shown, life.xero.shown_money = self.xero_showed, self.xero_showed_money
        self.documents = dict(life.xero.documents)
        self.due = {number: kept.draft.due_on for number, kept in self.documents.items()}
        self.owner = {number: kept.draft.contact_id.removeprefix("id-") for number, kept in self.documents.items()}
        self.stands = {number: self._machines_by_line(number) for number in self.documents}
        self.sums = {
            number: {nth: (line.quantity * line.unit_price) for nth, line in enumerate(kept.draft.lines, 1)}
            for number, kept in self.documents.items()
        }

    def _machines_by_line(self, number: str) -> dict[int, set[str]]:
        """Which machines stand on each line: those of its site, in a supplement those that were corrected."""
        lines = self.documents[number].draft.lines
        customer = self.owner[number]
        supplement = any("Correction" in line.description for line in lines)
        return {
            nth: {
                machine
                for machine, holder in HOLDERS.items()
                if holder == customer and site_of(machine).capitalize() in line.description
                and (not supplement or machine in MORE)
            }
            for nth, line in enumerate(lines, 1)
        }  # fmt: skip

    # What the world saw

    @property
    def now(self) -> datetime:
        """The true time."""
        return self.life.true_now()

    def xero_showed(self, invoices: Sequence[Invoice]) -> None:
        """An answer: from here on the product knows."""
        for invoice in invoices:
            number = next(each for each, kept in self.documents.items() if kept.id == invoice.id)
            present = {payment.id for payment in invoice.payments}
            if self.books.payments.get(number, set()) - present:
                self.books.begun[number] = self.now
                self.plans_fall(customer=self.owner[number], number=number)
            self.books.payments[number] = present
            self.books.known[number] = Shown.of(invoice)

    def xero_showed_money(self, money: Sequence[Unapplied]) -> None:
        """Likewise."""
        self.books.money = tuple(money)

    def mail(self, mail: Mail) -> None:
        """The relay takes a mail."""
        if mail.to == TICKETS and mail.subject.startswith("Ticket: switch off"):
            self.may_pause(mail.subject.split()[-1])
        elif mail.to == TICKETS and mail.subject.startswith("Ticket: switch on"):
            self.may_resume(mail.subject.split()[-1])
        elif mail.subject.startswith("To do") and "approve_pause" in mail.text:
            self._asked(mail)
        elif mail.kind in CHAIN and mail.to.startswith("pay@"):
            self.is_true(mail)

    def command(self, word: str, machine: str) -> None:
        """A command reaches the control."""
        if word == "off":
            self.may_pause(machine)
            self.resumed.discard(machine)
        else:
            self.may_resume(machine)
            self.resumed.add(machine)

    def after_tick(self) -> None:
        """What obeyed our command to run is not ours any more."""
        for machine in [each for each in self.resumed if self.runs(each)]:
            self.ours[machine] = False
            self.resumed.discard(machine)

    def runs(self, machine: str) -> bool:
        """Whether it is on, in truth."""
        return self.life.control.states.get(machine, PowerState.ON) is PowerState.ON

    def _asked(self, mail: Mail) -> None:
        words = mail.text.split()
        values = {
            word[:-1]: words[at + 1] for at, word in enumerate(words[:-1]) if word in ("plan:", "approver:", "code:")
        }
        number = int(values["plan"])
        customer = mail.subject.partition("the pause of ")[2].split()[0]
        machines = mail.text.partition("Machines: ")[2].partition(". Nothing")[0].split()
        before = self.plans.get(number)
        codes = before.codes if before and before.customer == customer else {}
        self.plans[number] = Plan(
            plan=number, customer=customer, machines=frozenset(m.strip(",") for m in machines[1::2]),
            codes={**codes, mail.to: values["code"].strip("'")},
        )  # fmt: skip

    # What is owed

    def holder(self, machine: str, instant: datetime | None = None) -> Assignment | None:
        """Who has a machine, by the registry, on the site's day."""
        at = instant or self.now
        day = at.astimezone(SITES[site_of(machine)].zone).date()
        return next(
            (row for row in self.books.rows if row.machine == machine and row.from_day <= day <= row.to_day), None
        )

    def held(self, number: str) -> bool:
        """Whether a hold keeps a document out as a whole."""
        return any(
            hold.at(self.now) and not hold.lines and hold.customer == self.owner[number] and hold.number in ("", number)
            for hold in self.books.holds
        )  # fmt: skip

    def stopped(self, number: str, shown: Shown) -> str:
        """Why a document goes nowhere, by what Xero shows of it."""
        if number in self.books.given_up:
            return "given up"
        if number in self.books.unmended:
            return "its mail came back"
        if shown.due_on != self.due[number]:
            return "edited"
        return "held" if self.held(number) else ""

    def disputed(self, number: str) -> frozenset[int]:
        """Its disputed lines."""
        return frozenset(
            line for hold in self.books.holds if hold.number == number and hold.at(self.now) for line in hold.lines
        )

    def claims(self, shown: Mapping[str, Shown], money: Sequence[Unapplied]) -> dict[str, Decimal]:
        """What of each document is owed: without disputed lines, and without what his own money covers."""
        left = {name: Decimal(0) for name in CUSTOMERS}
        for each in money:
            if each.currency == "NOK" and each.contact_id.removeprefix("id-") in left:
                left[each.contact_id.removeprefix("id-")] += each.remaining
        claims = {}
        for number in sorted(self.documents, key=lambda each: (self.due[each], each)):
            if number not in shown:
                continue
            open_amount = shown[number].left
            lines = sum((self.sums[number][line] for line in self.disputed(number)), Decimal(0))
            claim = open_amount - min(lines, open_amount)
            overdue = self.due[number] < self.now.date()
            held_alone = any(
                hold.at(self.now) and not hold.lines and hold.number == number for hold in self.books.holds
            )
            kept_out = held_alone or (bool(self.stopped(number, shown[number])) and not self.held(number))
            covered = min(claim, left[self.owner[number]]) if overdue and not kept_out else Decimal(0)
            left[self.owner[number]] -= covered
            claims[number] = claim - covered
        return claims

    def truth(self) -> dict[str, Shown]:
        """What Xero would show now."""
        return {number: Shown.of(kept.invoice) for number, kept in self.documents.items()}

    # The laws

    def is_true(self, mail: Mail) -> None:
        """A notice claims what is owed, of documents that nothing keeps out, and no stage before its turn or twice."""
        claims = self.claims(self.books.known, self.books.money)
        about = f"{mail.at} {mail.kind} to {mail.to}: {mail.still}"
        assert mail.still, about
        assert mail.claimed == sum(claims[number] for number in mail.still), f"{about}: owed {claims}"
        for number, still in mail.still.items():
            assert mail.to == f"pay@{self.owner[number]}.example", about
            assert self.due[number] < self.now.date(), f"{about}: {number} is not overdue"
            assert claims[number] > 0, f"{about}: {number} is not owed"
            assert not self.stopped(number, self.books.known[number]), (
                f"{about}: {self.stopped(number, self.books.known[number])}"
            )
            lines = sum((self.sums[number][line] for line in self.disputed(number)), Decimal(0))
            known = self.books.known[number].left
            assert still == known - min(lines, known), about
            self._one_stage(number, mail)
            self._in_order(number, mail)
            self._not_twice(number, mail, claims)

    def _said(self, number: str) -> Iterator[Mail]:
        """The notices to the customer that named a document, the newest first."""
        return (
            mail for mail in reversed(self.life.mail.taken)
            if mail.kind in CHAIN and number in mail.still and mail.to.startswith("pay@")
        )  # fmt: skip

    def last(self, number: str, kind: str) -> Mail | None:
        """The newest notice of a kind on a document."""
        return next((mail for mail in self._said(number) if mail.kind == kind), None)

    def _one_stage(self, number: str, mail: Mail) -> None:
        others = [each.kind for each in self._said(number) if each.at == mail.at and each.kind != mail.kind]
        assert not others, f"{number}: {mail.kind} and {others} at once, {mail.at}"

    def _in_order(self, number: str, mail: Mail) -> None:
        """Every stage before it was said since the chain began, and had a day."""
        if mail.kind == CHAIN[0]:
            return
        before = self.last(number, CHAIN[CHAIN.index(mail.kind) - 1])
        assert before, f"{number}: {mail.kind} comes first"
        assert before.at + DAY <= mail.at, f"{number}: {mail.kind} at {mail.at}, a day after {before.at}"
        assert before.at >= self.books.begun.get(number, BEGINS), f"{number}: {mail.kind}, and it began anew"

    def _not_twice(self, number: str, mail: Mail, claims: Mapping[str, Decimal]) -> None:
        last = self.last(number, mail.kind)
        if last is None or last.still[number] != mail.still[number] or last.claimed != mail.claimed:
            return
        since = max(self.again.get(number, BEGINS), self.books.begun.get(number, BEGINS))
        if mail.kind == "scheduled":
            since = max(since, self.plan_again.get(number, BEGINS))
        assert last.at <= since, f"{number}: {mail.kind} of {mail.claimed} at {last.at}, and again at {mail.at}"

    def may_pause(self, machine: str) -> None:
        """I9 and I11, at the moment of the command."""
        now, site = self.now, SITES[site_of(machine)]
        about = f"{now} off {machine}"
        assert not self.books.kill_switch, f"{about}: the kill switch is on"
        assert site.name not in self.books.stopped_sites, f"{about}: the site is stopped"
        holder = self.holder(machine)
        assert holder and holder.state == "billable", f"{about}: {holder}"
        why = {
            number: self._why_not(machine, number) for number in self.documents if self.owner[number] == holder.customer
        }
        numbers = [number for number, each in why.items() if not each]
        assert numbers, f"{about}: {why}"
        claims = self.claims(self.truth(), self.life.xero.money)
        owed = sum(claims[number] for number in numbers)
        assert owed >= self.minimum and owed > 0, f"{about}: {owed} is left, {claims}"
        self._in_hours(machine, holder.customer, about)
        self._below_caps(machine, holder.customer, about)
        state = self.life.control.states.get(machine, PowerState.ON)
        assert state is PowerState.ON or machine.startswith("ET"), f"{about}: it was off"
        self.ours[machine] = state is PowerState.ON
        self.commands.append(Command(at=now, machine=machine, customer=holder.customer))

    @property
    def minimum(self) -> Decimal:
        """The policy's."""
        return POLICIES[self.books.policy].minimum("NOK", POLICIES[self.books.policy].rule(Does.PAUSE))

    def _why_not(self, machine: str, number: str) -> str:
        """Why a machine may not stand still for a document; empty if it may."""
        shown = self.truth()[number]
        if machine not in self.standing(number):
            return "does not stand on it"
        if self.due[number] >= self.now.date():
            return "not overdue"
        if why := self.stopped(number, shown):
            return why
        if self.claims(self.truth(), self.life.xero.money)[number] <= 0:
            return "not owed"
        return self._why_not_announced(machine, number)

    def standing(self, number: str) -> set[str]:
        """The machines that stand on its lines that are not disputed."""
        disputed = self.disputed(number)
        return {each for line, machines in self.stands[number].items() if line not in disputed for each in machines}

    def _why_not_announced(self, machine: str, number: str) -> str:
        """What is lacking of its notices: each in order, delivered, and the last two naming the machine."""
        before = self.books.begun.get(number, BEGINS) - DAY
        for kind in CHAIN:
            mail = self.last(number, kind)
            if mail is None:
                return f"no {kind}"
            if mail.message_id in self.books.bounced:
                return f"{kind} came back"
            if mail.at < before + DAY:
                return f"{kind} of {mail.at} too early"
            if mail.at + DAY > self.now:
                return f"{kind} of {mail.at} not delivered"
            if kind in ("final", "scheduled") and (machine, number) not in mail.machines:
                return f"{kind} does not name the machine"
            if mail.not_before and mail.not_before > self.now.date():
                return f"{kind} promised {mail.not_before}"
            before = mail.at
        if before < self.books.fell.get(number, BEGINS):
            return f"its plan fell at {self.books.fell[number]}"
        return ""

    def _in_hours(self, machine: str, customer: str, about: str) -> None:
        site = SITES[site_of(machine)]
        local = self.now.astimezone(site.zone)
        assert local.weekday() < 4 and time(8) <= local.time() < time(14), f"{about}: {local}"
        for country in (site.country, CUSTOMERS[customer]):
            for day in (local.date(), local.date() + DAY):
                assert day.weekday() < 5 and str(day) not in DAYS_OFF[country], f"{about}: {day} in {country}"

    def _below_caps(self, machine: str, customer: str, about: str) -> None:
        policy = POLICIES[self.books.policy]
        today = [each for each in self.commands if self._same_day(each)]
        there = {each.machine for each in today if site_of(each.machine) == site_of(machine)} | {machine}
        approved = any(
            len(self.books.approved.get(plan.plan, ())) >= 2
            for plan in self.plans.values() if plan.customer == customer and machine in plan.machines
        )  # fmt: skip
        if approved:
            return
        assert len(there) <= policy.machines_per_site_and_day, f"{about}: {there} in a day"
        customers = {each.customer for each in today} | {customer}
        assert len(customers) <= policy.customers_per_day, f"{about}: {customers} in a day"
        assert all(Need.APPROVAL not in rule.needs for rule in policy.stages), f"{about}: not approved"

    def _same_day(self, command: Command) -> bool:
        zone = SITES[site_of(command.machine)].zone
        return command.at.astimezone(zone).date() == self.now.astimezone(zone).date()

    def may_resume(self, machine: str) -> None:
        """I10: only what we switched off, and was on before that."""
        assert self.ours.get(machine), f"{self.now} on {machine}: it is not off by our command"

    # At rest

    def must_run(self) -> list[str]:
        """Machines that nothing keeps off any more, whatever became of plans."""
        claims = self.claims(self.truth(), self.life.xero.money)
        found = []
        for machine, off in self.ours.items():
            holder = self.holder(machine)
            if not off or self.runs(machine) or (holder and holder.state == "repair"):
                continue
            shown = self.truth()
            owed = [
                claims[number]
                for number, customer in self.owner.items()
                if holder and customer == holder.customer and machine in self.standing(number)
                and self.due[number] < self.now.date() and not self.stopped(number, shown[number])
            ]  # fmt: skip
            if sum(owed) <= 0 or sum(owed) < self.minimum:
                found.append(machine)
        return found

    def end_hold(self, *, customer: str, number: str) -> None:
        """Holds of a document, or of a customer, end now."""
        self.books.holds = [
            replace(hold, until=min(hold.until, self.now))
            if hold.customer == customer and (not number or hold.number == number) else hold
            for hold in self.books.holds
        ]  # fmt: skip

    def plans_fall(self, *, customer: str, number: str = "") -> None:
        """What fell for good: of a document, or of all of a customer's."""
        for each in self.documents:
            if each == number or (not number and self.owner[each] == customer):
                self.books.fell[each] = self.now
        self.may_schedule_again(customer)

    def may_schedule_again(self, customer: str) -> None:
        """Something happened that a plan may have fallen by."""
        for each in self.documents:
            if self.owner[each] == customer:
                self.plan_again[each] = self.now

    def may_say_again(self, number: str) -> None:
        """A document's notices may be repeated."""
        self.again[number] = self.now
