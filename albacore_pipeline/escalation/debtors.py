"""Debtors as the database has them: the facts that decisions are made of, and what a letter needs besides.

Belongs here: reading. Does not belong here: what is decided (`evaluate.py`) and what is written then (`steps.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.escalation import queries
from albacore_pipeline.escalation.evaluate import Decision, Facts, evaluate
from albacore_pipeline.escalation.queries import ClaimRow, DebtorRow, DocumentRow
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.store import policy_in_force


@dataclass(frozen=True, kw_only=True)
class Debtor:
    """A customer with what decisions on his documents depend on; `documents` are those of the facts, by number."""

    row: DebtorRow
    policy: Policy
    facts: Facts
    documents: Mapping[str, DocumentRow]

    def decide(self, *, now: datetime) -> dict[str, Decision]:
        """The decision on each of his documents."""
        return evaluate(facts=self.facts, policy=self.policy, as_of=now)


def load(connection: sa.Connection, *, now: datetime, customers: Sequence[str] | None = None) -> list[Debtor]:
    """Every debtor, or those of these customers who are."""
    found = queries.debtors(connection, customers=customers, now=now)
    documents: defaultdict[str, list[DocumentRow]] = defaultdict(list)
    for document in queries.documents(connection, customers=[row.customer for row in found], now=now):
        documents[document.customer].append(document)
    cases = [document.case_id for rows in documents.values() for document in rows if document.case_id is not None]
    claims: defaultdict[int, list[ClaimRow]] = defaultdict(list)
    for claim in queries.claims(connection, cases=cases):
        claims[claim.case_id].append(claim)
    policies = {name: policy_in_force(connection, name=name, now=now) for name in {row.policy for row in found}}
    return [
        Debtor(
            row=row,
            policy=policies[row.policy],
            facts=_facts(row, documents[row.customer], claims),
            documents={document.number: document for document in documents[row.customer]},
        )
        for row in found
    ]


def _facts(row: DebtorRow, documents: Sequence[DocumentRow], claims: Mapping[int, Sequence[ClaimRow]]) -> Facts:
    return Facts(
        customer=row.customer,
        country=row.country,
        currency=row.currency,
        stopped=row.stopped,
        stopped_until=row.stopped_until,
        documents=tuple(documents),
        claims={
            document.number: claims[document.case_id]
            for document in documents
            if document.case_id is not None and document.case_id in claims
        },
    )
