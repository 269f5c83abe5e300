"""Lists of stages that are no chain, each with the line that says why."""

from __future__ import annotations

from typing import Any

import pytest

from albacore_pipeline.registry.stages import DEFAULT_STAGES, Does, StageRule, faults


def chain(*changes: tuple[str, dict[str, Any]], without: str = "", order: list[str] | None = None) -> list[StageRule]:
    """The default stages, some another way, or in another order."""
    rules = {rule.stage: rule for rule in DEFAULT_STAGES if rule.stage != without}
    for name, given in changes:
        rules[name] = rules[name].model_copy(update=given)
    return [rules[name] for name in order or rules]


def test_the_default_stages_are_a_chain() -> None:
    assert list(faults(DEFAULT_STAGES)) == []


@pytest.mark.parametrize(
    ("stages", "fault"),
    [
        (chain(order=["reminder", "reminder"]), "reminder stands twice"),
        (chain(order=["final_notice", "reminder"]), "reminder (remind) stands after final_notice (announce)"),
        (chain(("overdue", {"after": "due", "business_days": 1})), "overdue is due 1 business days after the due date"),
        (chain(("recovery", {"business_days": 5})), "recovery is due 5 business days after the due date, before its"),
        (chain(("final_notice", {"business_days": 0})), "final_notice needs at least one business day"),
        (chain(("reminder", {"after": "delivery"})), "reminder waits for the delivery of a stage that may be missed"),
        (chain(("final_notice", {"after": "due", "business_days": -2})), "final_notice is due before its predecessor"),
        (chain(without="pause_scheduled"), "a stage that does pause needs one before it that does schedule"),
        (chain(without="final_notice"), "a stage that does schedule needs one before it that does announce"),
        (chain(order=["upcoming", "final_notice"]), "needs a reminder after the due date before it"),
        (chain(("overdue", {"does": Does.ANNOUNCE})), "final_notice is the second that does announce"),
        (chain(("reminder", {"tell": ()})), "reminder does not tell the customer"),
    ],
)
def test_what_is_no_chain_is_named(stages: list[StageRule], fault: str) -> None:
    assert any(fault in found for found in faults(stages)), list(faults(stages))
