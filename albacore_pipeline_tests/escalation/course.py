"""A customer's documents over time, in memory: what is owed, what was entered, what keeps it out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from albacore_pipeline.escalation.evaluate import Claim, Decision, Document, Enter, Facts, evaluate
from albacore_pipeline.periods import days
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import Does

POLICY = Policy()
FRIDAY = date(2025, 11, 14)
DAY = timedelta(hours=24)


def at(day: date, hour: int = 6) -> datetime:
    """An hour of a day, UTC."""
    return datetime.combine(day, time(hour), UTC)


def document(number: str = "A-1", due_on: date = FRIDAY, amount: str = "500", **given: Any) -> Document:
    """A document of 500 that was mailed long ago, is owed whole and has a machine."""
    owed = Decimal(amount)
    values: dict[str, Any] = {
        "total": owed, "amount_due": owed, "owed": owed, "as_of": at(FRIDAY), "sent_at": at(date(2025, 11, 1)),
        "machines_left": 1,
    } | given  # fmt: skip
    return Document(number=number, due_on=due_on, **values)


@dataclass
class Course:
    """What became of a customer in Norway."""

    documents: list[Document] = field(default_factory=lambda: [document()])
    claims: defaultdict[str, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    policy: Policy = POLICY
    stopped: str = ""
    fresh: bool = True
    relay_works: bool = True

    def facts(self, now: datetime) -> Facts:
        """What is known at an instant; Xero was read just now, unless it can't be."""
        known = tuple(replace(each, as_of=now) if self.fresh else each for each in self.documents)
        claims = {number: tuple(claims) for number, claims in self.claims.items()}
        return Facts(
            customer="acme", country="NO", currency="NOK", documents=known, claims=claims, stopped=self.stopped
        )

    def tick(self, now: datetime) -> dict[str, Decision]:
        """Evaluate, and do what was decided."""
        decisions = evaluate(facts=self.facts(now), policy=self.policy, as_of=now)
        for number, decision in decisions.items():
            if isinstance(decision, Enter):
                self.enter(number, decision, now)
        return decisions

    def enter(self, number: str, decision: Enter, now: datetime) -> None:
        """What entering a stage leaves behind."""
        stage = decision.stage
        sent = now if self.relay_works else None
        self.claims[number] = [claim for claim in self.claims[number] if claim.stage != stage.stage]
        names = stage.does in (Does.ANNOUNCE, Does.SCHEDULE)
        claim = Claim(
            stage=stage.stage,
            does=stage.does,
            owed=decision.owed,
            sent_at=sent,
            delivered_at=sent + DAY if sent else None,
            not_before=decision.not_before,
            machines=int(names),
        )
        self.claims[number].append(claim)
        if decision.again:
            self.change(number, said_again=True)

    def change(self, number: str, **given: Any) -> None:
        """Something about a document is another way now."""
        self.documents = [replace(each, **given) if each.number == number else each for each in self.documents]

    def claim(self, number: str, stage: str, **given: Any) -> None:
        """Something about a claim is another way now."""
        self.claims[number] = [
            replace(each, **given) if each.stage == stage else each for each in self.claims[number]
        ]  # fmt: skip

    def run(self, first: date, last: date, *, every: int = 1) -> list[tuple[date, str, str]]:
        """Tick each morning (or every so many days) in `[first, last)`; the stages that were entered, in order."""
        entered = []
        for day in list(days(first, last))[::every]:
            for number, decision in self.tick(at(day)).items():
                if isinstance(decision, Enter):
                    entered.append((day, number, decision.stage.stage))
        return entered

    def stages(self, number: str = "A-1") -> list[str]:
        """The stages of a document that count."""
        return [claim.stage for claim in self.claims[number]]
