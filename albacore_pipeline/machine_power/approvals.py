"""Two people's word for a pause above the blast radius: each has a one-time code by mail, good for a day."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa

from albacore_pipeline.effects import keys
from albacore_pipeline.effects.mail import MAIL
from albacore_pipeline.effects.outbox import prepare
from albacore_pipeline.escalation.queries import open_case as ensure_open_case
from albacore_pipeline.machine_power import queries
from albacore_pipeline.registry.policies import Policy, Stage

NEEDED = 2

TEXT = """A pause needs your approval: {reason}.

Customer {customer}, machines: {machines}

If you agree, start the job approve_pause in Dagster with customer {customer}, approver {approver} and code {code}.
The code is good for 24 hours. If you do not agree, do nothing, or start veto_pause.
"""


def approved(connection: sa.Connection, *, customer: str, now: datetime) -> bool:
    """Whether enough people have approved the pause of the customer's open case today."""
    return queries.approvals(connection, customer=customer, now=now) >= NEEDED


def ask(
    connection: sa.Connection, *, customer: str, policy: Policy, machines: list[str], reason: str, now: datetime
) -> None:
    """Mail each approver of the policy a code of his own; nobody is asked twice within a day."""
    case_id = ensure_open_case(connection, customer=customer, now=now)
    for approver in sorted({policy.owner(Stage.PAUSE_SCHEDULED), policy.owner(Stage.PAUSED)}):
        code = secrets.token_hex(4)
        if not queries.ask_approval(connection, case_id=case_id, approver=approver, sha256=_sha256(code), now=now):
            continue
        text = TEXT.format(reason=reason, customer=customer, machines=", ".join(machines), approver=approver, code=code)
        payload = {"to": approver, "subject": f"Approval needed: pause of {customer}", "text": text, "attachments": []}
        key = keys.approval(case_id=case_id, approver=approver, asked_at=now)
        prepare(connection, kind=MAIL, business_key=key, payload=payload, now=now)


def approve(connection: sa.Connection, *, customer: str, approver: str, code: str, now: datetime) -> None:
    """Take a person's approval. Raises LookupError for a code that is wrong, used or older than a day."""
    if not queries.approve(connection, customer=customer, approver=approver, sha256=_sha256(code), now=now):
        raise LookupError(f"the code of {approver} for {customer} is wrong, used or older than a day")


def _sha256(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
