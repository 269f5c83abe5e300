"""Why a customer is where he is: each document's case, what he was told, what keeps him, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from albacore_pipeline.oversight import queries
from albacore_pipeline.oversight.queries import ExplainedCase, ExplainedStep


def explain_customer(connection: sa.Connection, *, customer: str) -> Iterator[str]:
    """The explanation, a line of text at a time. Raises LookupError for a customer who was never known."""
    if not queries.is_customer(connection, customer=customer):
        raise LookupError(f"there is no customer {customer}: see report.customers")
    cases = queries.explain_cases(connection, customer=customer)
    if not cases:
        yield f"{customer}: no document of his is on its way; nothing is owed that was sent"
    steps = queries.explain_steps(connection, customer=customer)
    told = {number: list(group) for number, group in groupby(steps, key=lambda step: step.number)}
    for case in cases:
        yield from _case(case, told.pop(case.number, []))
    for hold in queries.explain_holds(connection, customer=customer):
        what = hold.number or "the whole customer"
        yield f"hold on {what} ({hold.kind}), {hold.from_at:%Y-%m-%d} to {hold.until_at:%Y-%m-%d}: {hold.reason}"
    for plan in queries.explain_plans(connection, customer=customer):
        state = "stands" if plan.stands else f"fell: {plan.why}"
        machines = ", ".join(plan.machines)
        yield f"plan {plan.plan_id} for {plan.number}, not before {plan.not_before}, {machines}: {state}"
    for command in queries.explain_power(connection, customer=customer):
        name = f"{command.site} {command.machine}"
        yield f"{command.requested_at:%Y-%m-%d %H:%M} {command.action} {name} ({command.reason}): {command.outcome}"
    for task in queries.explain_tasks(connection, customer=customer):
        yield f"to do until {task.due_by:%Y-%m-%d} by {task.owner}: {task.subject} (finish_task {task.key})"


def _case(case: ExplainedCase, steps: list[ExplainedStep]) -> Iterator[str]:
    overdue = f", {case.amount_overdue:,.2f} {case.currency} overdue" if case.amount_overdue else ""
    yield f"{case.number}: {case.state or 'not evaluated yet'}{overdue}: {case.reason}"
    if case.next_stage:
        yield f"  next: {case.next_stage}{f' on {case.next_on}' if case.next_on else ''}"
    for step in steps:
        arrived = f"delivered {step.delivered_at:%Y-%m-%d}" if step.delivered_at else "not delivered"
        why = f", {step.ended_why}" if step.ended_why else ""
        yield f"  {step.decided_at:%Y-%m-%d} {step.stage} over {step.claimed:,.2f}, {arrived}: {step.outcome}{why}"
