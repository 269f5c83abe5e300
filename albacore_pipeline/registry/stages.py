"""Escalation stages as data: what one may say, what makes a list of them a chain, and the chain by default.

- stage: final_notice
  does: announce
  after: delivery
  business_days: 5
  tell: [customer, account_manager]
  owner: finance@albacore.example
  template: final_notice
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from albacore_pipeline.registry.rows import Amount, Currency, Mailbox

Days = Annotated[int, Field(ge=0, le=365)]
StageName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Template = Literal["upcoming", "reminder", "overdue", "final_notice", "pause_scheduled", "paused", "recovery"]
DELIVERY_DAYS = 1  # a notice counts as delivered a day after the relay took it


class Does(StrEnum):
    """What a stage is for. A chain has them in this order: reminders first, and of the others at most one each."""

    REMIND = "remind"  # asks for the money
    ANNOUNCE = "announce"  # names the machines that may be paused, and the day before which they are not
    SCHEDULE = "schedule"  # freezes the plan of the pause
    PAUSE = "pause"  # switches the machines off
    HAND_OVER = "hand_over"  # gives the debt to a person


class Audience(StrEnum):
    """Who is told. The customer's copy alone decides whether a notice was delivered."""

    CUSTOMER = "customer"
    ACCOUNT_MANAGER = "account_manager"


class Need(StrEnum):
    """What must hold besides what always must."""

    TASK_FINISHED = "task_finished"  # the owner has finished the task of the stage before
    APPROVAL = "approval"  # two people have approved the plan, below the caps too


class StageRule(BaseModel):
    """One stage. `business_days` are the customer's country's; below zero, they are before the due date."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: StageName
    does: Does
    after: Literal["due", "delivery"]  # the document's due date, or the delivery of the stage before
    business_days: Annotated[int, Field(ge=-30, le=365)]
    tell: tuple[Audience, ...] = ()
    owner: Mailbox  # has a task with each stage
    owner_business_days: Days = 2  # by when
    template: Template
    needs: tuple[Need, ...] = ()
    minimum_due: dict[Currency, Amount] = Field(default_factory=dict)  # else the policy's
    percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)  # of the totals of the documents that came so far

    @property
    def before_due(self) -> bool:
        """Whether the stage stands before the chain: at or before the due date, and may be missed."""
        return self.after == "due" and self.business_days <= 0


CUSTOMER, MANAGER = Audience.CUSTOMER, Audience.ACCOUNT_MANAGER
RECEIVABLES, FINANCE, OPERATIONS = (f"{who}@albacore.example" for who in ("receivables", "finance", "operations"))


def _stage(
    stage: Template, does: Does, after: Literal["due", "delivery"], days: int, owner: str, *tell: Audience
) -> StageRule:
    return StageRule(stage=stage, does=does, after=after, business_days=days, tell=tell, owner=owner, template=stage)


DEFAULT_STAGES = (
    _stage("upcoming", Does.REMIND, "due", -3, RECEIVABLES, CUSTOMER),
    _stage("reminder", Does.REMIND, "due", 1, RECEIVABLES, CUSTOMER),
    _stage("overdue", Does.REMIND, "delivery", 3, RECEIVABLES, CUSTOMER, MANAGER),
    _stage("final_notice", Does.ANNOUNCE, "delivery", 5, FINANCE, CUSTOMER, MANAGER),
    _stage("pause_scheduled", Does.SCHEDULE, "delivery", 5, FINANCE, CUSTOMER, MANAGER),
    _stage("paused", Does.PAUSE, "delivery", 1, OPERATIONS, CUSTOMER, MANAGER),
    _stage("recovery", Does.HAND_OVER, "due", 42, FINANCE),
)


def faults(stages: Sequence[StageRule]) -> Iterator[str]:
    """What keeps these stages from being a chain, a line each; none where they are one."""
    names = [rule.stage for rule in stages]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        yield f"{repeated} stands twice"
    yield from _disorder(stages)
    yield from _dates(stages)
    for rule in stages:
        if Audience.CUSTOMER not in rule.tell and rule.does is not Does.HAND_OVER:
            yield f"{rule.stage} does not tell the customer: add `customer` to `tell`"


def _disorder(stages: Sequence[StageRule]) -> Iterator[str]:
    order = list(Does)
    for before, rule in pairwise(stages):
        if order.index(rule.does) < order.index(before.does):
            yield f"{rule.stage} ({rule.does}) stands after {before.stage} ({before.does}): move it before"
        elif rule.does is before.does is not Does.REMIND:
            yield f"{rule.stage} is the second that does {rule.does}: one is allowed"
    does = {rule.does for rule in stages}
    for later, earlier in ((Does.PAUSE, Does.SCHEDULE), (Does.SCHEDULE, Does.ANNOUNCE)):
        if later in does and earlier not in does:
            yield f"a stage that does {later} needs one before it that does {earlier}"
    if Does.ANNOUNCE in does and not any(rule.does is Does.REMIND and not rule.before_due for rule in stages):
        yield "a stage that does announce needs a reminder after the due date before it"


def _dates(stages: Sequence[StageRule]) -> Iterator[str]:
    """Adds up the business days from the due date: a stage must be reachable, and not before its predecessor."""
    earliest: int | None = None  # of the stage before, counted from the due date; None before the chain
    for before, rule in zip((None, *stages), stages, strict=False):
        if rule.before_due:
            if earliest is not None:
                yield f"{rule.stage} is due before its predecessor: give it more business days"
            elif rule.does is not Does.REMIND:
                yield f"{rule.stage} can't be due before the due date: only reminders can"
        elif rule.after == "delivery" and (before is None or before.before_due):
            yield f"{rule.stage} waits for the delivery of a stage that may be missed: write `after: due`"
        elif rule.after == "delivery" and rule.business_days < 1:
            yield f"{rule.stage} needs at least one business day after the delivery of the stage before"
        else:
            reached = (
                rule.business_days if rule.after == "due" else (earliest or 0) + DELIVERY_DAYS + rule.business_days
            )
            if earliest is not None and reached <= earliest:
                yield (
                    f"{rule.stage} is due {reached} business days after the due date, before its predecessor"
                    f" ({earliest} at the earliest): give it more business days"
                )
            earliest = reached
