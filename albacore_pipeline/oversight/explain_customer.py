"""Why a customer is where he is: each document's case, what he was told, what keeps him, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import sqlalchemy as sa

from albacore_pipeline.oversight import queries
from albacore_pipeline.oversight.queries import (
    ExplainedCase,
    ExplainedCommand,
    ExplainedHold,
    ExplainedPlan,
    ExplainedStep,
)


def explain_customer(connection: sa.Connection, *, customer: str) -> Iterator[str]:
    """The explanation, a line of text at a time. Raises LookupError for a customer who was never known."""
    if not queries.is_customer(connection, customer=customer):
        raise LookupError(f"there is no customer {customer}: see report.customers")
    cases = queries.explain_cases(connection, customer=customer)
    if not cases:
        yield f"{customer}: no document of his is on its way; nothing is owed that was sent"
    steps = queries.explain_steps(connection, customer=customer)
    by_number = {number: list(group) for number, group in groupby(steps, key=lambda step: step.number)}
    for case in cases:
        yield from _case(case, by_number.get(case.number, []))
    for hold in queries.explain_holds(connection, customer=customer):
        yield _hold(hold)
    for plan in queries.explain_plans(connection, customer=customer):
        yield _plan(plan)
    commands = queries.explain_power(connection, customer=customer)
    for _, together in groupby(commands, key=lambda each: (each.requested_at, each.action, each.reason, each.outcome)):
        yield _commands(list(together))
    for task in queries.explain_tasks(connection, customer=customer):
        yield f"to do until {task.due_by:%Y-%m-%d} by {task.owner}: {task.subject} (finish_task {task.key})"


def _case(case: ExplainedCase, steps: Sequence[ExplainedStep]) -> Iterator[str]:
    overdue = f", {case.amount_overdue:,.2f} {case.currency} overdue" if case.amount_overdue else ""
    yield f"{case.number}: {case.state or 'not evaluated yet'}{overdue}: {case.reason}"
    if case.next_stage:
        yield f"  next: {case.next_stage}{f' on {case.next_on}' if case.next_on else ''}"
    for step in steps:
        yield _step(step, closed=case.state == "closed")


def _step(step: ExplainedStep, *, closed: bool) -> str:
    """What a stage claimed, and whether its notice arrived; of an open case also what became of it, if anything did."""
    arrived = f"delivered {step.delivered_at:%Y-%m-%d}" if step.delivered_at else "not delivered"
    became = [step.outcome if step.outcome != "open" else "", step.ended_why]
    after = "" if closed and step.outcome == "paid" else ", ".join(dict.fromkeys(filter(None, became)))
    written = f"  {step.decided_at:%Y-%m-%d} {step.stage} over {step.claimed:,.2f}, {arrived}"
    return f"{written}: {after}" if after else written


def _hold(hold: ExplainedHold) -> str:
    what = hold.number or "the whole customer"
    lines = f", {'line' if len(hold.lines) == 1 else 'lines'} {', '.join(map(str, hold.lines))}" if hold.lines else ""
    outcome = f": {hold.outcome}" if hold.outcome else ""
    between = f"{hold.from_at:%Y-%m-%d} to {hold.until_at:%Y-%m-%d}"
    return f"hold on {what}{lines} ({hold.kind}) of {hold.owner}, {between}: {hold.reason}{outcome}"


def _plan(plan: ExplainedPlan) -> str:
    state = "stands" if plan.stands else f"fell: {plan.why}"
    return f"plan {plan.plan_id} for {plan.number}, not before {plan.not_before}, {', '.join(plan.machines)}: {state}"


def _commands(together: Sequence[ExplainedCommand]) -> str:
    """What was asked of several machines at once, for one reason, with one outcome."""
    first = together[0]
    machines = ", ".join(f"{each.site} {each.machine}" for each in together)
    return f"{first.requested_at:%Y-%m-%d %H:%M} {first.action} ({first.reason}): {first.outcome}: {machines}"
