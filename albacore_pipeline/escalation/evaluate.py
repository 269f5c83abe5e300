"""Where each document of a customer stands in its chain, and what comes next: a pure function of what is known.

Evaluate as often as you like: the same facts give the same decisions, one evaluation enters at most one stage a
document, and a late run moves all later dates, because each stage waits for the documented delivery of the one before.
A chain is about a document; only its amount is looked at together with the customer's others.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from albacore_pipeline.periods import add_business_days
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import DELIVERY_DAYS, Does, Need, StageRule

FRESH = timedelta(hours=24)  # older words of Xero escalate nothing
QUARTER = 4  # a notice with another sum is said once more when at least a quarter of the sum came


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A stage that a document went through, as its notice said it. Only claims that still count are facts.

    `owed` is what the notice claimed for the document. Empty instants: not yet; `delivered_at` may lie ahead.
    """

    stage: str
    does: Does
    owed: Decimal
    sent_at: datetime | None
    delivered_at: datetime | None
    came_back: bool = False
    not_before: date | None = None  # the day that the notice promised
    machines: int = 0  # how many the notice named for the document
    fell: str = ""  # why its plan no longer stands for the document
    vetoed: bool = False
    task_finished: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """An issued document that is unpaid, or whose case is open. Amounts with tax, in the customer's currency."""

    number: str
    due_on: date
    total: Decimal
    amount_due: Decimal
    owed: Decimal  # what of it is claimed: without disputed lines, and without what the customer's own money covers
    as_of: datetime | None
    sent_at: datetime | None  # when the relay took its mail
    ended: str = ""  # paid, voided or written off
    stopped: str = ""  # why a hold, a correction or an edit in Xero keeps it out
    stopped_until: date | None = None
    machines_left: int = 0  # those its final notice named that still could be paused
    said_again: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the decisions on a customer's documents may depend on."""

    customer: str
    country: str
    currency: str
    documents: tuple[Document, ...]
    claims: Mapping[str, Sequence[Claim]] = field(default_factory=dict)  # by number, in order
    stopped: str = ""  # why the customer as a whole is kept out
    stopped_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Enter:
    """The document enters a stage now. `due_by`: when its owner has acted; `not_before`: what the notice promises."""

    number: str
    stage: StageRule
    owed: Decimal
    due_by: datetime
    not_before: date | None = None
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing is due. `resting`: what is left is too little; `held`: something keeps it out; `waiting`: for its day.

    `through`: it has been through the whole chain, and waits for the payment.
    """

    number: str
    state: Literal["waiting", "resting", "held"]
    reason: str
    next_stage: str = ""
    next_on: date | None = None
    through: bool = False


@dataclass(frozen=True, kw_only=True)
class Close:
    """The document's case is over."""

    number: str
    reason: str


Decision = Enter | Wait | Close


def evaluate(*, facts: Facts, policy: Policy, as_of: datetime) -> dict[str, Decision]:
    """The decision for each document of a customer as of an instant, by number."""
    decisions = {
        document.number: _by_itself(document, facts=facts, policy=policy, as_of=as_of) for document in facts.documents
    }
    return {
        document.number: _together(document, decisions=decisions, facts=facts, policy=policy)
        for document in facts.documents
    }


def _by_itself(document: Document, *, facts: Facts, policy: Policy, as_of: datetime) -> Decision:
    """What would be due for a document if its amount were large enough."""
    if document.ended:
        return Close(number=document.number, reason=document.ended)
    progress = Progress(
        document=document,
        claims=tuple(facts.claims.get(document.number, ())),
        policy=policy,
        country=facts.country,
        as_of=as_of,
    )
    if obstacle := _obstacle(document, facts=facts, as_of=as_of):
        reason, until = obstacle
        return Wait(number=document.number, state="held", reason=reason, next_stage=progress.next_name, next_on=until)
    return progress.decision()


def _obstacle(document: Document, *, facts: Facts, as_of: datetime) -> tuple[str, date | None] | None:
    """What keeps a document out of its chain, and until when if that is known."""
    if document.sent_at is None:
        return "its mail has not left", None
    if facts.stopped:
        return facts.stopped, facts.stopped_until
    if document.stopped:
        return document.stopped, document.stopped_until
    if document.as_of is None or as_of - document.as_of > FRESH:
        return f"Xero's word on it is older than {FRESH.days} day", None
    return None


def _together(document: Document, *, decisions: Mapping[str, Decision], facts: Facts, policy: Policy) -> Decision:
    """A stage is entered only if what is left on all documents that have come so far is large enough."""
    decision = decisions[document.number]
    if not isinstance(decision, Enter) or (decision.stage.before_due and document.owed > 0):
        return decision
    order = [rule.stage for rule in policy.stages]
    arrived = [
        each
        for each in facts.documents
        if _has_come(decisions[each.number], facts.claims.get(each.number, ()), to=decision.stage.stage, order=order)
    ]
    left, total = sum(each.owed for each in arrived), sum(each.total for each in arrived)
    least = policy.minimum(facts.currency, decision.stage)
    if left >= least and left * 100 >= decision.stage.percent * total and left > 0:
        return decision
    return Wait(
        number=document.number,
        state="resting",
        reason=f"what is left ({left:.2f} {facts.currency}) is below the minimum",
        next_stage=decision.stage.stage,
    )


def _has_come(decision: Decision, claims: Sequence[Claim], *, to: str, order: Sequence[str]) -> bool:
    """Whether a document counts at a stage: it enters it now or went through it, and nothing keeps it out."""
    if isinstance(decision, Enter) and order.index(decision.stage.stage) >= order.index(to):
        return True
    free = not isinstance(decision, Close) and not (isinstance(decision, Wait) and decision.state == "held")
    return free and any(claim.stage == to for claim in claims)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a document has come in its policy's stages."""

    document: Document
    claims: tuple[Claim, ...]
    policy: Policy
    country: str
    as_of: datetime

    @property
    def today(self) -> date:
        """The day, in UTC."""
        return self.as_of.date()

    @functools.cached_property
    def chain(self) -> list[StageRule]:
        """The stages that none may miss, in order."""
        return [rule for rule in self.policy.stages if not rule.before_due and rule.does is not Does.HAND_OVER]

    @functools.cached_property
    def counting(self) -> dict[str, Claim]:
        """The claims by stage, without a scheduled pause whose plan fell: it has to be announced anew."""
        return {claim.stage: claim for claim in self.claims if not claim.fell or claim.vetoed}

    @functools.cached_property
    def next_rule(self) -> StageRule | None:
        """The first stage of the chain that the document has not been through."""
        return next((rule for rule in self.chain if rule.stage not in self.counting), None)

    @property
    def next_name(self) -> str:
        """The name of that stage; empty where there is none."""
        return self.next_rule.stage if self.next_rule else ""

    def decision(self) -> Decision:
        """The stage that is due today, else what the document waits for."""
        if self.today <= self.document.due_on:
            return self._before_due()
        step = self._again() or self._next()
        if isinstance(step, Enter):
            return step
        return self._hand_over() or step

    def _before_due(self) -> Decision:
        before = [(rule, self._count_back(rule)) for rule in self.policy.stages if rule.before_due]
        reached = [rule for rule, day in before if self.today >= day]
        if reached and reached[-1].stage not in self.counting:  # one that a later one has overtaken is missed
            return self._enter(reached[-1])
        for rule, day in before[len(reached) :]:
            return self._wait("it is not due yet", rule, day)
        first = self.chain[0] if self.chain else None
        return self._wait("it is not due yet", first, self._due_day(first) if first else None)

    def _count_back(self, rule: StageRule) -> date:
        """The last day from which the due date is at least as many business days away."""
        day = self.document.due_on
        while day > self.document.due_on - timedelta(days=60):
            if add_business_days(day=day, count=-rule.business_days, country=self.country) <= self.document.due_on:
                break
            day -= timedelta(days=1)
        return day

    def _due_day(self, rule: StageRule) -> date:
        return add_business_days(day=self.document.due_on, count=rule.business_days, country=self.country)

    def _again(self) -> Enter | None:
        """The last notice once more, when a good part of its sum came: from the final notice on, once a document."""
        chain = {rule.stage for rule in self.chain} & self.counting.keys()  # the hand-over stands beside it
        last = next((claim for claim in reversed(self.claims) if claim.stage in chain), None)
        if last is None or self.document.said_again or last.does not in (Does.ANNOUNCE, Does.SCHEDULE):
            return None
        rule = next((rule for rule in self.policy.stages if rule.stage == last.stage), None)
        came = last.owed - self.document.owed
        if rule is None or last.sent_at is None or last.vetoed or came <= 0 or came * QUARTER < last.owed:
            return None
        return self._enter(rule, again=True)

    def _next(self) -> Decision:
        rule = self.next_rule
        if rule is None:
            return replace(self._wait("the pause is carried out; waiting for the payment", None, None), through=True)
        if held := self._undelivered():
            return held
        before = self._before(rule)
        day = self._day(rule, before)
        if day is None or self.today < day:
            return self._wait(f"{rule.stage} is next", rule, day)
        if lacking := self._lacking(rule, before):
            return self._wait(lacking, rule, None)
        return self._enter(rule)

    def _before(self, rule: StageRule) -> Claim | None:
        """The claim of the stage before."""
        index = [each.stage for each in self.chain].index(rule.stage)
        return self.counting.get(self.chain[index - 1].stage) if index else None

    def _undelivered(self) -> Wait | None:
        """A notice that came back, was vetoed, or is not delivered yet: nothing follows it."""
        for claim in self.counting.values():
            if claim.vetoed:
                return self._held("the pause was vetoed: reopen_case says how it goes on")
            if claim.came_back:
                return self._held(f"the notice of {claim.stage} came back: mend the address, then reopen_case")
            if claim.does is not Does.PAUSE and (claim.delivered_at is None or claim.delivered_at > self.as_of):
                rule, on = self.next_rule, self._day_once_delivered(claim)
                return self._wait(f"the notice of {claim.stage} is not delivered yet", rule, on)
        return None

    def _day_once_delivered(self, claim: Claim) -> date | None:
        """The day of the next stage if a notice does not come back; none where nobody can tell yet."""
        rule = self.next_rule
        day = self._day(rule, self._before(rule)) if rule else None
        return max(day, claim.delivered_at.date()) if day and claim.delivered_at else None

    def _day(self, rule: StageRule, before: Claim | None) -> date | None:
        """The first day of a stage: by the policy of today, and no earlier than a delivered notice promised."""
        if rule.after == "due":
            day = self._due_day(rule)
        elif before is None or before.delivered_at is None:
            return None
        else:
            day = add_business_days(
                day=before.delivered_at.date(), count=rule.business_days, country=self.country
            )  # fmt: skip
        if rule.does is Does.PAUSE:
            promised = [claim.not_before for claim in self.counting.values() if claim.not_before]
            day = max([day, *promised])
        return day

    def _lacking(self, rule: StageRule, before: Claim | None) -> str:
        """What must hold and does not."""
        if rule.does in (Does.SCHEDULE, Does.PAUSE) and not self.document.machines_left:
            return "no machine that a notice named can be paused for it"
        if Need.TASK_FINISHED in rule.needs and before is not None and not before.task_finished:
            return f"the task of {before.stage} is not finished: finish_task"
        return ""

    def _hand_over(self) -> Enter | None:
        """The debt goes to a person on its day, once the reminders are done or stuck, whatever holds up the pause."""
        rule = self.policy.rule(Does.HAND_OVER)
        stuck = any(claim.came_back or claim.vetoed for claim in self.counting.values())
        reminded = stuck or all(each.stage in self.counting for each in self.chain if each.does is Does.REMIND)
        if rule is None or rule.stage in self.counting or not reminded or self.today < self._due_day(rule):
            return None
        return self._enter(rule)

    def _enter(self, rule: StageRule, *, again: bool = False) -> Enter:
        owner_by = add_business_days(day=self.today, count=rule.owner_business_days, country=self.country)
        return Enter(
            number=self.document.number,
            stage=rule,
            owed=self.document.owed,
            due_by=datetime.combine(owner_by, time(), UTC),
            not_before=self._promise(rule),
            again=again,
        )

    def _promise(self, rule: StageRule) -> date | None:
        """The first day on which machines may be paused, if this notice leaves today and all goes its way."""
        if rule.does not in (Does.ANNOUNCE, Does.SCHEDULE) or not self.policy.rule(Does.PAUSE):
            return None
        names = [each.stage for each in self.chain]
        day = self.today
        for later in self.chain[names.index(rule.stage) + 1 :]:
            day = add_business_days(
                day=day + timedelta(days=DELIVERY_DAYS), count=later.business_days, country=self.country
            )  # fmt: skip
            if later.does is Does.PAUSE:
                break
        promised = [claim.not_before for claim in self.counting.values() if claim.not_before]
        return max([day, *promised])

    def _wait(self, reason: str, rule: StageRule | None, on: date | None) -> Wait:
        if rule is None:
            rule = self.policy.rule(Does.HAND_OVER)
            on = self._due_day(rule) if rule and rule.stage not in self.counting else None
            rule = rule if on else None
        return Wait(
            number=self.document.number,
            state="waiting",
            reason=reason,
            next_stage=rule.stage if rule else "",
            next_on=on,
        )

    def _held(self, reason: str) -> Wait:
        return Wait(number=self.document.number, state="held", reason=reason, next_stage=self.next_name)
