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
BILLED, CORRECTED = "2025-10", "FI-0012"
PAYS_AT_ONCE, PAYS_IN_PART, DISPUTES, NEVER_PAYS = "c01", "c02", "c03", "c04"


def at(text: str) -> datetime:
    """An instant of the story, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class OpenDocument:
    """What is still to be paid of a document."""

    number: str
    total: Decimal
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
            ("Payments, a dispute, and what is not paid", self.payments),
            ("Reminders, a final notice, a pause", self.escalation),
            ("The payment comes: resume", self.resume),
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
        """One disputes, one pays a part, most pay in time."""
        self.until(at("2025-11-13T09:00"))
        disputed = self.asked(queries.documents, month=BILLED, customer=DISPUTES)
        if not self.asked(queries.holds, customer=DISPUTES):
            form = {
                "customer": DISPUTES,
                "number": next(document.number for document in disputed if document.kind == "invoice"),
                "kind": "dispute",
                "days": 90,
                "owner": "finance@albacore.example",
            }
            self.by_hand("place_hold", **form, reason="the customer questions the hours of one machine")
        for customer in self.asked(queries.customers_of_month, month=BILLED):
            if customer not in (DISPUTES, NEVER_PAYS, PAYS_IN_PART):
                self.pay(customer)
        self.pay(PAYS_IN_PART, share="0.4")
        self.tick()

    def escalation(self) -> None:
        """Day after day whatever is due happens by itself, until the machines of the one who never pays stand still."""
        for instant in (
            "11-18T09", "11-19T09", "11-20T09", "11-21T09", "11-24T09", "11-25T09", "11-27T09", "11-28T09", "12-02T09",
            "12-04T09", "12-05T09", "12-08T09", "12-10T09", "12-12T09", "12-15T03", "12-15T09", "12-16T09",
        ):  # fmt: skip
            self.until(at(f"2025-{instant}:00"))
            if instant[:5] in ("11-24", "12-02", "12-05", "12-10", "12-16"):
                self.heal()
            self.tick()
            if instant == "11-27T09":
                self.pay(PAYS_IN_PART)
            if instant == "12-10T09":
                self.pay_november()
            self.confirm_tickets("pause")
        if not self.asked(queries.commanded_machines, action="pause", outcome="verified", site=None):
            raise StoryFailed("no machine was paused: see report.escalation for where the chain stands")

    def resume(self) -> None:
        """The money comes, and the machines run again."""
        self.until(at("2025-12-16T15:00"))
        self.pay(NEVER_PAYS)
        self.pay_november()
        self.until(at("2025-12-16T16:00"))
        self.tick(rounds=2)
        self.confirm_tickets("resume")

    def close(self) -> None:
        """Everything against Xero once more, and the month on a page."""
        self.until(at("2025-12-17T09:00"))
        self.heal()
        self.tick()
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

    def pay(self, customer: str, *, share: str = "1") -> None:
        """A customer pays this share of what is due on October's documents; nothing when he has paid already."""
        for row in self.open_documents(month=BILLED, customer=customer):
            if share != "1" and row.amount_due < row.total:
                continue
            amount = row.amount_due if share == "1" else round(row.total * Decimal(share), 2)
            self._pay(row.number, amount)

    def pay_november(self) -> None:
        """November is paid by everybody."""
        for row in self.open_documents(month="2025-11", customer=None):
            self._pay(row.number, row.amount_due)

    def _pay(self, number: str, amount: Decimal) -> None:
        try:
            self.world("pay", number=number, amount=str(amount))
        except NothingOpen:
            self.console.print(f"   {number} was paid when the story was interrupted", style="dim")

    def confirm_tickets(self, action: str) -> None:
        """A person at a site without an interface does what the ticket says, and confirms it."""
        for row in self.asked(queries.commanded_machines, action=action, outcome="sent", site="ethiopia"):
            self.world("power", machine=row.machine, state="Off" if action == "pause" else "On")
            self.by_hand(
                "confirm_power_state", site=row.site, machine=row.machine, action=action, reason="ticket carried out"
            )

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
            OpenDocument(number=document.number, total=document.total, amount_due=document.amount_due)
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
