"""What a story is made of: the world moved on, the pipeline ticked, and what people do to both.

Belongs here: acts that any chapter may use, each of which changes nothing when it is done again. Does not belong here:
who does what when; that is the story (`demo.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import httpx
from rich.console import Console

from albacore_pipeline.cli import queries
from albacore_pipeline.cli.home import RunningHome
from albacore_pipeline.cli.running import StoryFailed
from albacore_pipeline.cli.ticks import Ran, Ticker
from albacore_pipeline.periods import clock_at
from albacore_pipeline.tls import trusted

Answer = TypeVar("Answer")

SENSORS = ("corrections", "invoice_issuing", "payment_watch", "escalation", "machine_pause", "machine_resume")


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
class Play:
    """The world, the pipeline, and somewhere to tell of it."""

    running: RunningHome
    ticker: Ticker
    console: Console

    def until(self, instant: datetime) -> None:
        """Move the sandbox's clock on to an instant; in a second telling it is there already."""
        now = datetime.fromisoformat(self.call("GET", "clock")["now"])
        if instant > now:
            self.call("POST", "clock", {"to": instant.isoformat()})
            clock_at(self.running.settings.clock_url).read_again()

    def heal(self) -> None:
        """Whatever is missing."""
        for ran in self.ticker.sensor("missed_work"):
            self.show(ran)

    def tick(self, *, rounds: int = 1) -> None:
        """One tick of every other sensor, in the order in which one leads to the next."""
        for _ in range(rounds):
            for name in SENSORS:
                for ran in self.ticker.sensor(name):
                    self.show(ran)

    def pay(self, row: OpenDocument, *, left: Decimal = Decimal(0)) -> None:
        """A customer pays all of a document but for what is to be left; nothing that he has paid already."""
        if row.amount_due <= left:
            return
        try:
            self.world("pay", number=row.number, left=str(left))
            rest = f" but for {left:,.2f}" if left else ""
            self.say(f"{row.customer} pays {row.number}{rest}")
        except NothingOpen:
            self.say(f"{row.number} was paid when the story was interrupted")

    def money(self) -> list[str]:
        """The ids of what lies in Xero and is set against nothing."""
        return [str(each["id"]) for each in self.call("GET", "xero/money")["left"]]

    def hand_over(self, machine: str, *, to: str, from_day: date) -> None:
        """A machine is another customer's from a day on, by the registry's files and their load."""
        if self.asked(queries.holder, machine=machine, day=from_day) == to:
            return
        self.world("registry/handover", machine=machine, customer=to, from_day=from_day.isoformat())
        self.world("registry", dir=str(self.running.settings.registry_folder))
        words = f"{machine} is {to}'s from {from_day} on"
        self.load_registry(reason=words)
        self.say(words)

    def load_registry(self, *, reason: str = "the story's registry") -> None:
        """The registry as a person would load it."""
        config = {"ops": {"registry": {"config": {"actor": "demo", "reason": reason}}}}
        self.must(self.ticker.job("load_registry", config=config))

    def confirm_tickets(self, action: str) -> None:
        """A person at a site without an interface does what the tickets say, and confirms it."""
        tickets = self.asked(queries.commanded_machines, action=action, outcome="sent", site="ethiopia")
        for row in tickets:
            self.world("power", machine=row.machine, state="Off" if action == "pause" else "On")
            form = {"site": row.site, "machine": row.machine, "action": action, "answer": "done"}
            self.by_hand("confirm_power_state", **form, reason="ticket carried out")
        if tickets:
            self.tick()

    def by_hand(self, job: str, **form: Any) -> None:
        """What a person enters in the Launchpad."""
        config = {"ops": {f"perform_{job}": {"config": {"actor": "demo", **form}}}}
        self.must(self.ticker.job(job, config=config))

    def world(self, path: str, **body: Any) -> Any:
        """Do something to the sandbox's world."""
        return self.call("POST", path, body)

    def world_delete(self, path: str, *, only: str) -> None:
        """End faults of a kind."""
        for fault in self.call("GET", path)["faults"]:
            if fault["kind"] == only:
                self.call("DELETE", f"{path}?id={fault['id']}")

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
            )
            for document in found
            if document.kind != "credit_note" and document.state == "issued" and document.amount_due is not None
        ]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the sandbox answers below `/sandbox`. Raises NothingOpen and StoryFailed."""
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

    def say(self, words: str) -> None:
        """What happens in the world."""
        self.console.print(f"   {words}", markup=False)

    def show(self, ran: Ran) -> None:
        """What the pipeline did."""
        self.console.print(
            f"   {ran.job}{'' if ran.success else f' [red]failed:[/red] {ran.message}'}",
            style="dim" if ran.success else "",
        )

    def must(self, ran: Ran) -> None:
        """As `show`; the story can't go on without it."""
        self.show(ran)
        if not ran.success:
            raise StoryFailed(f"{ran.job}: {ran.message}")
