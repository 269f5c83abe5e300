"""The story of `albacore demo`: a month of an international fleet, from meter to paused machine and back.

It drives the jobs, schedules and sensors that run in production, in this process, against the same Dagster instance.
What happens in the world (customers who pay, dispute or do not) is done to the sandbox. Told twice, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from rich.console import Console

from albacore_pipeline.cli import queries
from albacore_pipeline.cli.home import RunningHome
from albacore_pipeline.cli.playing import Play
from albacore_pipeline.cli.running import StoryFailed
from albacore_pipeline.cli.ticks import Ticker, end_orphans, opened_instance

SITES_NIGHTLY = ("nightly_norway", "nightly_finland", "nightly_ethiopia", "nightly_indonesia")
BILLED, NEXT, CORRECTED = "2025-10", "2025-11", "FI-0012"
PAYS_AT_ONCE, PAYS_IN_PART, DISPUTES, NEVER_PAYS = "c01", "c02", "c03", "c04"
DISPUTED_LINE = 1
ONLY_IN_NOVEMBER = "NO-0050"  # nobody's until then; NEVER_PAYS owes nothing for it before that invoice is due


def at(text: str) -> datetime:
    """An instant of the story, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Story(Play):
    """The chapters, and what their people do."""

    def tell(self) -> None:
        """From the registry to the month report."""
        chapters: list[tuple[str, Callable[[], None]]] = [
            ("Load customers, assignments and tariffs", self.load_registry),
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

    def october(self) -> None:
        """Nights as range runs; one site-day fails and is collected again."""
        if not self.asked(queries.collections, site=None, day=None, revision=1):
            self.world("faults", kind="counter_reset", machine="NO-0007", at="2025-10-12T13:10:00Z")
            self.world("faults", kind="http_500", target="finland", day="2025-10-14", count=12)
        self.until(at("2025-10-28T07:00"))
        for ran in self.ticker.sensor("missed_work"):
            self.show(ran)
        self.world_delete("faults", only="http_500")
        self.until(at("2025-10-28T10:00"))
        for ran in self.ticker.sensor("missed_work"):
            self.show(ran)

    def nights(self) -> None:
        """The last nights one by one, by each site's own schedule."""
        for day in range(1, 6):
            self.until(at("2025-10-28T05:00") + timedelta(days=day))
            for schedule in SITES_NIGHTLY:
                for ran in self.ticker.schedule(schedule):
                    self.show(ran)

    def bill(self) -> None:
        """The month is rated each day until nobody is left; documents go out as soon as a customer is ready."""
        for day in ("2025-11-02T07:00", "2025-11-04T07:00", "2025-11-06T07:00", "2025-11-07T07:00"):
            self.until(at(day))
            self.heal()
            for ran in self.ticker.schedule("monthly_billing"):
                self.show(ran)
            self.tick()
            if day.startswith("2025-11-02"):
                self.hand_over(ONLY_IN_NOVEMBER, to=NEVER_PAYS, from_day=date(2025, 11, 1))
            if day.startswith("2025-11-04"):
                self.pay_october(PAYS_AT_ONCE)

    def correction(self) -> None:
        """A site corrects a day that was invoiced: the day is collected again, the difference becomes a document."""
        self.until(at("2025-11-10T09:00"))
        if not self.asked(queries.collections, site="finland", day=date(2025, 10, 12), revision=2):
            self.world("faults", kind="correction", machine=CORRECTED, day="2025-10-12", factor=0.8)
        self.show(self.ticker.job("collect_finland", partition="2025-10-12"))
        self.tick(rounds=2)

    def payments(self) -> None:
        """One disputes a line, one pays a part, most pay in time."""
        self.until(at("2025-11-13T09:00"))
        self.dispute()
        for customer in self.asked(queries.customers_of_month, month=BILLED):
            if customer not in (DISPUTES, NEVER_PAYS, PAYS_IN_PART):
                self.pay_october(customer)
        self.pay_october(PAYS_IN_PART, but_for=Decimal("0.6"))
        self.tick()

    def escalation(self) -> None:
        """Day after day whatever is due happens by itself, until the machines of the one who never pays stand still."""
        people: dict[str, Callable[[], None]] = {
            "11-20T09": self.pay_what_is_not_disputed,
            "11-21T09": self.money_without_a_number,
            "11-27T09": self.pay_the_rest,
            "12-02T09": self.refuse_dispute,
            "12-05T09": lambda: self.pay_october(DISPUTES),
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
        for row in paused[:1]:
            self.hand_over(row.machine, to=PAYS_AT_ONCE, from_day=date(2025, 12, 16))
        self.tick()
        self.until(at("2025-12-16T15:00"))
        self.pay_october(NEVER_PAYS)
        self.until(at("2025-12-16T16:00"))
        self.tick(rounds=2)
        self.confirm_tickets("resume")

    def close(self) -> None:
        """Everything against Xero once more, and the month on a page."""
        self.until(at("2025-12-17T09:00"))
        self.heal()
        self.tick(rounds=2)
        self.nobody_stands_still_for_nothing()
        self.must(self.ticker.job("reconcile"))
        self.must(self.ticker.job("report_month", partition=BILLED))

    # What people do

    def pay_october(self, customer: str, *, but_for: Decimal = Decimal(0)) -> None:
        """A customer pays October's documents, or all of each but for a share."""
        for row in self.open_documents(month=BILLED, customer=customer):
            self.pay(row, left=round(row.total * but_for, 2))

    def pay_november(self) -> None:
        """November is paid by everybody but one, whose second document it is."""
        for row in self.open_documents(month=NEXT, customer=None):
            if row.customer != NEVER_PAYS:
                self.pay(row)
            elif row.amount_due:
                self.say(f"{row.number} of {NEVER_PAYS} is not due yet: it has a chain of its own, and pauses nothing")

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
        self.say(
            f"{DISPUTES} disputes line {line.line} of {line.number} ({line.description.partition(':')[0]}:"
            f" {line.amount:,.2f}); the rest of it goes on"
        )

    def pay_what_is_not_disputed(self) -> None:
        """Reminded of the rest, he pays it."""
        line = self.disputed_line()
        for row in self.open_documents(month=BILLED, customer=DISPUTES):
            if row.number == line.number:
                self.pay(row, left=line.amount)

    def refuse_dispute(self) -> None:
        """The hours were right: the line is claimed again, from the stage at which it stood."""
        if "" not in self.asked(queries.holds, customer=DISPUTES):
            return
        number = self.disputed_line().number
        reason = "the meter was read beside the customer's own, and both agree"
        self.by_hand("resolve_dispute", customer=DISPUTES, number=number, outcome="refused", reason=reason)
        self.say(f"the dispute of {number} is refused: its chain goes on, now about the line alone")
        self.tick()

    def disputed_line(self) -> queries.DocumentLine:
        """The line in dispute."""
        return self.asked(queries.invoice_line, month=BILLED, customer=DISPUTES, line=DISPUTED_LINE)

    def money_without_a_number(self) -> None:
        """Money comes that names no invoice: it lies unapplied in Xero, and notices count it for him."""
        for row in self.open_documents(month=BILLED, customer=PAYS_IN_PART):
            if not self.money():
                amount = round(row.total / 10, 2)
                given = {"contact": PAYS_IN_PART, "amount": str(amount), "currency": row.currency}
                self.world("xero/money", kind="overpayment", **given)
                self.say(f"{PAYS_IN_PART} sends {amount:,.2f} {row.currency} without a number: it counts for him")

    def pay_the_rest(self) -> None:
        """He pays all that is due after all, so that what he had sent without a number goes back to him."""
        self.pay_october(PAYS_IN_PART)
        for left in self.money():
            self.world("xero/pay-back", id=left)
            self.say(f"what {PAYS_IN_PART} had sent without a number goes back to him")

    def nobody_stands_still_for_nothing(self) -> None:
        """Set the power of every machine, as it truly is, against the pauses that stand."""
        off = {machine for machine, state in self.call("GET", "power").items() if state == "Off"}
        wrong = off - set(self.asked(queries.machines_with_a_plan))
        if wrong:
            raise StoryFailed(f"{', '.join(sorted(wrong))} stand still, and no plan stands for them")
        self.say(f"{'every machine runs' if not off else f'{len(off)} machines stand still, each for a plan'}")


@contextmanager
def story(*, running: RunningHome, console: Console) -> Iterator[Story]:
    """A story over a running home, with Dagster's instance open."""
    from albacore_pipeline.definitions import defs

    with opened_instance() as instance:
        end_orphans(instance)
        yield Story(running=running, ticker=Ticker(definitions=defs, instance=instance), console=console)
