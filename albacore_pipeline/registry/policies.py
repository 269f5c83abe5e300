"""Policies as data: what `policies.yaml` may say. When they act is told in `billing/`, `invoicing/` and `escalation/`.

default:
  - from_day: 2025-01-01
    carry_below: {EUR: 5, NOK: 50}
    reminder_business_days: 1
    owners: {reminder: receivables@albacore.example}
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from albacore_pipeline.registry.rows import Amount, Currency, Day, Mailbox


class Stage(StrEnum):
    """The stages, in order; each is entered at most once a case, and none is skipped from `reminder` on."""

    UPCOMING = "upcoming"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    FINAL_NOTICE = "final_notice"
    PAUSE_SCHEDULED = "pause_scheduled"
    PAUSED = "paused"
    RECOVERY = "recovery"


CHAIN = (Stage.REMINDER, Stage.OVERDUE, Stage.FINAL_NOTICE, Stage.PAUSE_SCHEDULED, Stage.PAUSED)

OWNERS = {
    Stage.UPCOMING: "receivables@albacore.example",
    Stage.REMINDER: "receivables@albacore.example",
    Stage.OVERDUE: "receivables@albacore.example",
    Stage.FINAL_NOTICE: "finance@albacore.example",
    Stage.PAUSE_SCHEDULED: "finance@albacore.example",
    Stage.PAUSED: "operations@albacore.example",
    Stage.RECOVERY: "finance@albacore.example",
}

Days = Annotated[int, Field(ge=0, le=365)]


class Policy(BaseModel):
    """One version of a policy, from a day on. Business days are those of the customer's country."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_day: Day = date(2025, 1, 1)
    accepted_gap_hours: Days = 2  # a machine-month's missing hours that pass unbilled, in the customer's favour
    estimated_hours: Annotated[int, Field(ge=0, le=744)] = 0  # ... that are billed as the same hours of the days around
    carry_below: dict[Currency, Amount] = Field(default_factory=dict)  # a smaller correction: lines on the next invoice
    review_factor: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(3)  # a month farther off waits for a person
    minimum_due: dict[Currency, Amount] = Field(default_factory=dict)  # below it nothing is escalated
    minimum_due_otherwise: Amount = Decimal(10)
    upcoming_days_before: Days = 5
    reminder_business_days: Annotated[int, Field(ge=1, le=365)] = 1  # after the due date
    overdue_days: Days = 7  # after the due date
    final_notice_days: Days = 14  # after the due date
    pause_business_days: Days = 5  # after the final notice was delivered
    veto_business_days: Days = 1  # between scheduling and pausing
    recovery_days: Days = 60  # after the due date
    owner_business_days: Days = 2  # by when a stage's owner has acted
    machines_per_site_and_day: Annotated[int, Field(ge=0)] = 20  # blast radius of pauses
    share_of_site_and_day: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.2")
    customers_per_day: Annotated[int, Field(ge=0)] = 3
    owners: dict[Stage, Mailbox] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _two_approvers(self) -> Policy:
        if self.owner(Stage.PAUSE_SCHEDULED) == self.owner(Stage.PAUSED):
            raise ValueError("owners: pause_scheduled and paused must differ, for they approve large pauses together")
        return self

    @field_validator("review_factor")
    @classmethod
    def _off_or_above_one(cls, value: Decimal) -> Decimal:
        if 0 < value <= 1:
            raise ValueError("must be 0 (no review) or more than 1: 3 holds months above three times or below a third")
        return value

    def owner(self, stage: Stage) -> str:
        """The mailbox of the stage's owner."""
        return self.owners.get(stage, OWNERS[stage])

    def minimum(self, currency: str) -> Decimal:
        """The amount below which nothing is escalated."""
        return self.minimum_due.get(currency, self.minimum_due_otherwise)
