"""The story of `albacore demo`: a month of an international fleet, from meter to paused machine and back.

It drives the jobs, schedules and sensors that run in production, in this process, against the same Dagster instance.
What happens in the world (customers who pay, dispute or do not) is done to the sandbox. Told twice, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx
from rich.console import Console

from albacore_pipeline.cli import queries
from albacore_pipeline.cli.home import RunningHome
from albacore_pipeline.cli.running import StoryFailed
from albacore_pipeline.cli.ticks import Ran, Ticker, end_orphans, opened_instance
from albacore_pipeline.periods import clock_at
from albacore_pipeline.tls import trusted

Answer = TypeVar("Answer")

SENSORS = ("corrections", "invoice_issuing", "payment_watch", "escalation", "machine_pause", "machine_resume")
SITES_NIGHTLY = ("nightly_norway", "nightly_finland", "nightly_ethiopia", "nightly_indonesia")
BILLED, NEXT, CORRECTED = "2025-10", "2025-11", "FI-0012"
PAYS_AT_ONCE, PAYS_IN_PART, DISPUTES, NEVER_PAYS = "c01", "c02", "c03", "c04"
DISPUTED_LINE = 1
ONLY_IN_NOVEMBER = "NO-0050"  # nobody's until then; NEVER_PAYS owes nothing for it before that invoice is due


def at(text: str) -> datetime:
    """An instant of the story, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class OpenDocument:
    """What is still to be paid of a document."""

    number: str
    customer: str
    total: Decimal
    currency: str
    amount_due: Decimal


class NothingOpen(StoryFailed):
    """The invoice is paid already, though the pipeline has not seen it yet."""


@dataclass(kw_only=True)
class Story:
    """The world, the pipeline, and somewhere to tell it."""

    running: RunningHome
    ticker: Ticker
    console: Console

    def tell(self) -> None:
        """From the registry to the month report."""
        chapters: list[tuple[str, Callable[[], None]]] = [
            ("Load customers, assignments and tariffs", self.registry),
            ("Collect the nights of October", self.october),
            ("Collect night by night, late days follow", self.nights),
            ("Bill October and issue invoices", self.bill),
            ("A corrected day after invoicing", self.correction),
            ("Payments, a disputed line, and what is not paid", self.payments),
            ("Reminders, a final notice, a pause", self.escalation),
            ("A machine changes hands, and the payment comes: resume", self.resume),
            ("Reconcile and report", self.close),
        ]
        for number, (title, chapter) in enumerate(chapters, start=1):
            self.console.print(f"[bold]{number}/{len(chapters)} {title}[/bold]")
            chapter()

    # The chapters

    def registry(self) -> None:
        """The registry as a person would load it."""
        config = {"ops": {"registry": {"config": {"actor": "demo", "reason": "the story's registry"}}}}
        self._expect(self.ticker.job("load_registry", config=config))

    def october(self) -> None:
        """Nights as range runs; one site-day fails and is collected again."""
        if not self.asked(queries.collections, site=None, day=None, revision=1):
            self.world("faults", kind="counter_reset", machine="NO-0007", at="2025-10-12T13:10:00Z")
            self.world("faults", kind="http_500", target="finland", day="2025-10-14", count=12)
        self.until(at("2025-10-28T07:00"))
        for ran in self.ticker.sensor("missed_work"):
            self._say(ran)
        self.world_delete("faults", only="http_500")
        self.until(at("2025-10-28T10:00"))
        for ran in self.ticker.sensor("missed_work"):
            self._say(ran)

    def nights(self) -> None:
        """The last nights one by one, by each site's own schedule."""
        for day in range(1, 6):
            self.until(at("2025-10-28T05:00") + timedelta(days=day))
            for schedule in SITES_NIGHTLY:
                for ran in self.ticker.schedule(schedule):
                    self._say(ran)

    def bill(self) -> None:
        """The month is rated each day until nobody is left; documents go out as soon as a customer is ready."""
        for day in ("2025-11-02T07:00", "2025-11-04T07:00", "2025-11-06T07:00", "2025-11-07T07:00"):
            self.until(at(day))
            self.heal()
            for ran in self.ticker.schedule("monthly_billing"):
                self._say(ran)
            self.tick()
            if day.startswith("2025-11-02"):
                self.hand_over(ONLY_IN_NOVEMBER, to=NEVER_PAYS, from_day=date(2025, 11, 1))
            if day.startswith("2025-11-04"):
                self.pay(PAYS_AT_ONCE)

    def correction(self) -> None:
        """A site corrects a day that was invoiced: the day is collected again, the difference becomes a document."""
        self.until(at("2025-11-10T09:00"))
        if not self.asked(queries.collections, site="finland", day=date(2025, 10, 12), revision=2):
            self.world("faults", kind="correction", machine=CORRECTED, day="2025-10-12", factor=0.8)
        self._say(self.ticker.job("collect_finland", partition="2025-10-12"))
        self.tick(rounds=2)

    def payments(self) -> None:
        """One disputes a line, one pays a part, most pay in time."""
        self.until(at("2025-11-13T09:00"))
        self.dispute()
        for customer in self.asked(queries.customers_of_month, month=BILLED):
            if customer not in (DISPUTES, NEVER_PAYS, PAYS_IN_PART):
                self.pay(customer)
        self.pay(PAYS_IN_PART, but_for=Decimal("0.6"))
        self.tick()

    def escalation(self) -> None:
        """Day after day whatever is due happens by itself, until the machines of the one who never pays stand still."""
        people: dict[str, Callable[[], None]] = {
            "11-21T09": self.money_without_a_number,
            "11-24T09": self.pay_what_is_not_disputed,
            "11-27T09": self.pay_the_rest,
            "12-02T09": self.refuse_dispute,
            "12-05T09": lambda: self.pay(DISPUTES),
            "12-10T09": self.pay_november,
        }
        for instant in (
            "11-18T09", "11-19T09", "11-20T09", "11-21T09", "11-24T09", "11-25T09", "11-27T09", "11-28T09", "12-02T09",
            "12-04T09", "12-05T09", "12-08T09", "12-10T09", "12-12T09", "12-15T03", "12-15T09", "12-16T09",
        ):  # fmt: skip
            self.until(at(f"2025-{instant}:00"))
            if instant[:5] in ("11-24", "12-02", "12-05", "12-10", "12-16"):
                self.heal()
            self.tick()
            people.get(instant, lambda: None)()
            self.confirm_tickets("pause")
        if not self.asked(queries.commanded_machines, action="pause", outcome="verified", site=None):
            raise StoryFailed("no machine was paused: see report.escalation for where the chain stands")

    def resume(self) -> None:
        """A paused machine is handed over and runs for its new holder; then the money comes, and the others run."""
        self.until(at("2025-12-16T12:00"))
        paused = self.asked(queries.commanded_machines, action="pause", outcome="verified", site="norway")
        self.hand_over(paused[0].machine, to=PAYS_AT_ONCE, from_day=date(2025, 12, 16))
        self.tick()
        self.until(at("2025-12-16T15:00"))
        self.pay(NEVER_PAYS)
        self.until(at("2025-12-16T16:00"))
        self.tick(rounds=2)
        self.confirm_tickets("resume")

    def close(self) -> None:
        """Everything against Xero once more, and the month on a page."""
        self.until(at("2025-12-17T09:00"))
        self.heal()
        self.tick()
        self.nobody_stands_still_for_nothing()
        self._expect(self.ticker.job("reconcile"))
        self._expect(self.ticker.job("report_month", partition=BILLED))

    # What chapters are made of

    def until(self, instant: datetime) -> None:
        """Move the sandbox's clock on to an instant; in a second telling it is there already."""
        now = datetime.fromisoformat(self._call("GET", "clock")["now"])
        if instant > now:
            self._call("POST", "clock", {"to": instant.isoformat()})
            clock_at(self.running.settings.clock_url).read_again()

    def heal(self) -> None:
        """Whatever is missing."""
        for ran in self.ticker.sensor("missed_work"):
            self._say(ran)

    def tick(self, *, rounds: int = 1) -> None:
        """One tick of every other sensor, in the order in which one leads to the next."""
        for _ in range(rounds):
            for name in SENSORS:
                for ran in self.ticker.sensor(name):
                    self._say(ran)

    def pay(self, customer: str, *, but_for: Decimal = Decimal(0)) -> None:
        """A customer pays October's documents, but for a share of each; nothing that he has paid already."""
        for row in self.open_documents(month=BILLED, customer=customer):
            self._pay(row, left=round(row.total * but_for, 2))

    def pay_november(self) -> None:
        """November is paid by everybody but one, whose second document it is."""
        for row in self.open_documents(month=NEXT, customer=None):
            if row.customer != NEVER_PAYS:
                self._pay(row)
            elif row.amount_due:
                self._tell(f"{NEVER_PAYS} owes a second document, {row.number}, not due yet: it has a chain of its own")

    def _pay(self, row: OpenDocument, *, left: Decimal = Decimal(0)) -> None:
        if row.amount_due <= left:
            return
        try:
            self.world("pay", number=row.number, left=str(left))
            rest = f" but for {left:,.2f}" if left else ""
            self._tell(f"{row.customer} pays {row.number}{rest}")
        except NothingOpen:
            self._tell(f"{row.number} was paid when the story was interrupted")

    def dispute(self) -> None:
        """A customer questions one line of his invoice."""
        if self.asked(queries.holds, customer=DISPUTES):
            return
        line = self.disputed_line()
        form = {
            "customer": DISPUTES, "number": line.number, "lines": [line.line], "kind": "dispute", "days": 90,
            "owner": "finance@albacore.example",
        }  # fmt: skip
        self.by_hand("place_hold", **form, reason="the customer questions the hours of one machine")
        self._tell(
            f"{DISPUTES} disputes line {line.line} of {line.number} ({line.description}: {line.amount:,.2f});"
            " the rest of it goes on"
        )

    def pay_what_is_not_disputed(self) -> None:
        """Reminded of the rest, he pays it."""
        line = self.disputed_line()
        for row in self.open_documents(month=BILLED, customer=DISPUTES):
            if row.number == line.number:
                self._pay(row, left=line.amount)

    def refuse_dispute(self) -> None:
        """The hours were right: the line is claimed again, from the stage at which it stood."""
        if "" not in self.asked(queries.holds, customer=DISPUTES):
            return
        number = self.disputed_line().number
        reason = "the meter was read beside the customer's own, and both agree"
        self.by_hand("resolve_dispute", customer=DISPUTES, number=number, outcome="refused", reason=reason)
        self._tell(f"the dispute of {number} is refused: its chain goes on, now about the line alone")
        self.tick()

    def disputed_line(self) -> queries.DocumentLine:
        """The line in dispute."""
        return self.asked(queries.invoice_line, month=BILLED, customer=DISPUTES, line=DISPUTED_LINE)

    def money_without_a_number(self) -> None:
        """Money comes that names no invoice: it lies at the customer's contact in Xero, and notices count it for him."""
        (row,) = self.open_documents(month=BILLED, customer=PAYS_IN_PART)
        if not row.amount_due or self.money():
            return
        amount = round(row.total / 10, 2)
        self.world(
            "xero/money", kind="overpayment", contact=PAYS_IN_PART, amount=str(amount), currency=row.currency
        )  # fmt: skip
        self._tell(f"{PAYS_IN_PART} sends {amount:,.2f} without a number: nobody has applied it, and it counts for him")

    def pay_the_rest(self) -> None:
        """He pays all that is due after all, so that what he had sent without a number goes back to him."""
        self.pay(PAYS_IN_PART)
        for left in self.money():
            self.world("xero/pay-back", id=left)
            self._tell(f"what {PAYS_IN_PART} had sent without a number goes back to him")

    def money(self) -> list[str]:
        """The ids of what lies in Xero and is set against nothing."""
        return [
            str(each["ID"]) for each in self._call("GET", "xero/money")["money"] if Decimal(each["RemainingCredit"])
        ]

    def hand_over(self, machine: str, *, to: str, from_day: date) -> None:
        """A machine is another customer's from a day on, by the registry's files and their load."""
        if self.asked(queries.holder, machine=machine, day=from_day) == to:
            return
        self.world("registry/handover", machine=machine, customer=to, from_day=from_day.isoformat())
        self.world("registry", dir=str(self.running.settings.registry_folder))
        self.registry()
        self._tell(f"{machine} is {to}'s from {from_day} on")

    def nobody_stands_still_for_nothing(self) -> None:
        """Set the power of every machine, as it truly is, against the pauses that stand."""
        off = {machine for machine, state in self._call("GET", "power").items() if state == "Off"}
        wrong = off - set(self.asked(queries.machines_with_a_plan))
        if wrong:
            raise StoryFailed(f"{', '.join(sorted(wrong))} stand still, and no plan stands for them")
        self._tell(f"{'every machine runs' if not off else f'{len(off)} machines stand still, each for a plan'}")

    def confirm_tickets(self, action: str) -> None:
        """A person at a site without an interface does what the ticket says, and confirms it."""
        for row in self.asked(queries.commanded_machines, action=action, outcome="sent", site="ethiopia"):
            self.world("power", machine=row.machine, state="Off" if action == "pause" else "On")
            self.by_hand(
                "confirm_power_state", site=row.site, machine=row.machine, action=action, answer="done",
                reason="ticket carried out",
            )  # fmt: skip

    def by_hand(self, job: str, **form: Any) -> None:
        """What a person enters in the Launchpad."""
        config = {"ops": {f"perform_{job}": {"config": {"actor": "demo", **form}}}}
        self._expect(self.ticker.job(job, config=config))

    def world(self, path: str, **body: Any) -> Any:
        """Do something to the sandbox's world."""
        return self._call("POST", path, body)

    def world_delete(self, path: str, *, only: str) -> None:
        """End faults of a kind."""
        for fault in self._call("GET", path)["faults"]:
            if fault["kind"] == only:
                self._call("DELETE", f"{path}?id={fault['id']}")

    def asked(self, door: Callable[..., Answer], **parameters: object) -> Answer:
        """What the platform database says."""
        with self.running.engine().connect() as connection:
            return door(connection, **parameters)

    def open_documents(self, *, month: str, customer: str | None) -> list[OpenDocument]:
        """What is still to be paid of a month."""
        found = self.asked(queries.documents, month=month, customer=customer)
        return [
            OpenDocument(
                number=document.number,
                customer=document.customer,
                total=document.total,
                currency=document.currency,
                amount_due=document.amount_due,
            )  # fmt: skip
            for document in found
            if document.kind != "credit_note" and document.state == "issued" and document.amount_due is not None
        ]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(
            method,
            f"{self.running.sandbox_url}/sandbox/{path}",
            json=body,
            timeout=60,
            trust_env=False,
            verify=trusted(),
        )
        if answer.status_code == 400 and "Nothing is open" in answer.text:
            raise NothingOpen(f"sandbox {path}: {answer.text}")
        if answer.status_code >= 400:
            raise StoryFailed(f"sandbox {path}: {answer.text}")
        return answer.json()

    def _tell(self, words: str) -> None:
        self.console.print(f"   {words}", markup=False)

    def _say(self, ran: Ran) -> None:
        self.console.print(
            f"   {ran.job}{'' if ran.success else f' [red]failed:[/red] {ran.message}'}",
            style="dim" if ran.success else "",
        )

    def _expect(self, ran: Ran) -> None:
        self._say(ran)
        if not ran.success:
            raise StoryFailed(f"{ran.job}: {ran.message}")


@contextmanager
def story(*, running: RunningHome, console: Console) -> Iterator[Story]:
    """A story over a running home, with Dagster's instance open."""
    from albacore_pipeline.definitions import defs

    with opened_instance() as instance:
        end_orphans(instance)
        yield Story(running=running, ticker=Ticker(definitions=defs, instance=instance), console=console)
