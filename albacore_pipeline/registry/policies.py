"""Policies as data: what `policies.yaml` may say. When they act is told in `billing/`, `invoicing/` and `escalation/`.

default:
  - from_day: 2025-01-01
    carry_below: {EUR: 5, NOK: 50}
    owners: {reminder: receivables@albacore.example}

The stages, what each says and when, stand in `stages`; without it they are those of `stages.py`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from albacore_pipeline.mailboxes import same_mailbox
from albacore_pipeline.registry.rows import Amount, Currency, Day, Mailbox
from albacore_pipeline.registry.stages import DEFAULT_STAGES, Days, Does, StageName, StageRule, faults

_BEFORE = {
    "upcoming_days_before", "reminder_business_days", "overdue_days", "final_notice_days", "pause_business_days",
    "veto_business_days", "recovery_days", "owner_business_days",
}  # fmt: skip


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
    stages: tuple[StageRule, ...] = DEFAULT_STAGES
    machines_per_site_and_day: Annotated[int, Field(ge=0)] = 20  # blast radius of pauses
    share_of_site_and_day: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.2")
    customers_per_day: Annotated[int, Field(ge=0)] = 3
    owners: dict[StageName, Mailbox] = Field(default_factory=dict)  # where a stage's is not the one in `stages`

    @model_validator(mode="before")
    @classmethod
    def _no_days_beside_the_stages(cls, given: object) -> object:
        if isinstance(given, dict) and (old := sorted(_BEFORE & given.keys())):
            raise ValueError(f"{old[0]} is written in `stages` now: `albacore policy show` prints the usual ones")
        return given

    @model_validator(mode="after")
    def _a_chain(self) -> Policy:
        if fault := next(faults(self.stages), None):
            raise ValueError(f"stages: {fault}")
        if unknown := self.owners.keys() - {rule.stage for rule in self.stages}:
            raise ValueError(f"owners: {min(unknown)} is no stage of the policy")
        approvers = [rule for rule in self.stages if rule.does in (Does.SCHEDULE, Does.PAUSE)]
        if len(approvers) == 2 and same_mailbox(*(self.owner(rule) for rule in approvers)):
            first, second = approvers
            raise ValueError(
                f"owners: {first.stage} and {second.stage} must be two people, for they approve pauses together"
            )
        return self

    @field_validator("review_factor")
    @classmethod
    def _off_or_above_one(cls, value: Decimal) -> Decimal:
        if 0 < value <= 1:
            raise ValueError("must be 0 (no review) or more than 1: 3 holds months above three times or below a third")
        return value

    def owner(self, rule: StageRule) -> str:
        """The mailbox of the stage's owner."""
        return self.owners.get(rule.stage, rule.owner)

    def minimum(self, currency: str, rule: StageRule | None = None) -> Decimal:
        """The amount below which nothing is escalated, or not to a stage."""
        ours = self.minimum_due.get(currency, self.minimum_due_otherwise)
        return ours if rule is None else rule.minimum_due.get(currency, ours)

    def rule(self, does: Does) -> StageRule | None:
        """The first stage that does this."""
        return next((rule for rule in self.stages if rule.does is does), None)

    def approvers(self) -> tuple[str, ...]:
        """Whose approval a plan needs: the owners of its scheduling and of the pause."""
        return tuple(self.owner(rule) for rule in self.stages if rule.does in (Does.SCHEDULE, Does.PAUSE))
