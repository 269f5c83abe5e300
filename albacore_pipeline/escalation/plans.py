"""Plans of pauses, as they fall: which document still stands behind a plan. A plan only shrinks.

A plan is made with the notice that schedules it (`steps.py`) and carried out by `machine_power`. What makes it fall
for a document falls for good: pausing again needs a new plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.debtors import Debtor
from albacore_pipeline.escalation.evaluate import Document, Facts
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import Does


def fall(connection: sa.Connection, *, debtors: Sequence[Debtor], now: datetime) -> None:
    """Strike from the plans what no longer stands, by facts, by what happened since they were made, and by holder."""
    queries.fall_by_history(connection, now=now)
    queries.fall_of_machines(connection, now=now)
    fallen = [
        queries.FallenDocument(number=number, why=why)
        for debtor in debtors
        for number, why in no_longer(facts=debtor.facts, policy=debtor.policy, on=now).items()
    ]
    queries.fall_items(connection, fallen=fallen, now=now)
    queries.strike_machines(connection, machines=_too_little(queries.standing_machines(connection), debtors), now=now)
    queries.close_plans(connection, now=now)


def strike(connection: sa.Connection, *, customer: str, number: str | None, why: str, now: datetime) -> list[str]:
    """Make the plans of a customer fall, or what they say of a document; the documents that it was about."""
    numbers = queries.fall(connection, customer=customer, number=number, why=why, now=now)
    queries.close_plans(connection, now=now)
    return sorted(set(numbers))


def strike_machine(connection: sa.Connection, *, machine_id: int, why: str, now: datetime) -> None:
    """Strike a machine from every plan that stands."""
    queries.strike_machine(connection, machine_id=machine_id, why=why, now=now)
    queries.close_plans(connection, now=now)


def with_plans(connection: sa.Connection) -> list[str]:
    """Customers of whose plans something stands."""
    return queries.with_plans(connection)


def _too_little(items: Sequence[queries.StandingItem], debtors: Sequence[Debtor]) -> list[queries.StruckMachine]:
    """Machines whose own documents leave less than the minimum together."""
    owed = {number: (debtor, document.owed) for debtor in debtors for number, document in debtor.documents.items()}
    sums: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    least: dict[tuple[int, int], Decimal] = {}
    for item in items:
        if item.number in owed:
            debtor, amount = owed[item.number]
            sums[item.plan_id, item.machine_id] += amount
            rule = debtor.policy.rule(Does.PAUSE)
            least[item.plan_id, item.machine_id] = debtor.policy.minimum(debtor.row.currency, rule)
    return [
        queries.StruckMachine(
            plan_id=plan_id,
            machine_id=machine_id,
            why=f"what is left on its documents ({amount:.2f}) is below the minimum",
        )
        for (plan_id, machine_id), amount in sums.items()
        if amount < least[plan_id, machine_id]
    ]


def no_longer(*, facts: Facts, policy: Policy, on: datetime) -> dict[str, str]:
    """Documents whose plan falls, with why: pure, and nothing about caps, hours or the age of facts.

    A document stands behind a plan while it is overdue, free, and what is left on all that do is the minimum.
    """
    planned = [document for document in facts.documents if _scheduled(document, facts)]
    why = {document.number: _why_not(document, facts=facts, on=on) for document in planned}
    rule = policy.rule(Does.PAUSE)
    left = sum((document.owed for document in planned if not why[document.number]), Decimal(0))
    too_little = rule is None or left <= 0 or left < policy.minimum(facts.currency, rule)
    reason = f"what is left ({left:.2f} {facts.currency}) is below the minimum" if too_little else ""
    return {number: each or reason for number, each in why.items() if each or reason}


def _why_not(document: Document, *, facts: Facts, on: datetime) -> str:
    if document.ended:
        return document.ended
    if facts.stopped:
        return facts.stopped
    if document.stopped:
        return document.stopped
    if document.due_on >= on.date():
        return f"it is due on {document.due_on}"
    return "" if document.owed > 0 else "nothing of it is owed"


def _scheduled(document: Document, facts: Facts) -> bool:
    """Whether a plan was announced for it that did not fall."""
    return any(claim.does is Does.SCHEDULE and not claim.fell for claim in facts.claims.get(document.number, ()))
