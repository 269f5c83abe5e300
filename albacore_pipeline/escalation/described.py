"""A policy in words: the table of its stages and their diagram, as `albacore policy show` prints them."""

from __future__ import annotations

from collections.abc import Iterator

from albacore_pipeline import markdown
from albacore_pipeline.registry.policies import Policy
from albacore_pipeline.registry.stages import Does, Need, StageRule

DOES = {
    Does.REMIND: "asks for the money",
    Does.ANNOUNCE: "names the machines that may be paused, and the day before which none is",
    Does.SCHEDULE: "freezes the plan of the pause",
    Does.PAUSE: "switches the machines of the plan off, and tells the customer when they were read to be off",
    Does.HAND_OVER: "gives the debt to a person, whatever holds up the pause",
}
NEEDS = {
    Need.TASK_FINISHED: "the owner's task of the stage before is finished",
    Need.APPROVAL: "two people have approved the plan",
}


def described(policy: Policy) -> str:
    """The table and the diagram, in Markdown."""
    rows = [
        (rule.stage, DOES[rule.does], _when(rule), _audiences(rule), _owner(policy, rule), _asked(policy, rule))
        for rule in policy.stages
    ]
    heading = ("stage", "what it does", "when", "who is told", "owner, and by when", "what must hold")
    diagram = "\n".join(_diagram(policy))
    return f"{markdown.table(heading, rows)}\n\n```\n{diagram}\n```\n"


def _when(rule: StageRule) -> str:
    days = f"{abs(rule.business_days)} business day{'' if abs(rule.business_days) == 1 else 's'}"
    if rule.before_due:
        return f"{days} before the due date" if rule.business_days else "on the due date"
    return f"{days} after {'the due date' if rule.after == 'due' else 'the delivery of the stage before'}"


def _audiences(rule: StageRule) -> str:
    return ", ".join(audience.replace("_", " ") for audience in rule.tell) or "nobody"


def _owner(policy: Policy, rule: StageRule) -> str:
    if rule.before_due:
        return f"{policy.owner(rule)}, no task"
    return f"{policy.owner(rule)}, within {rule.owner_business_days} business days"


def _asked(policy: Policy, rule: StageRule) -> str:
    amounts = {**policy.minimum_due, **rule.minimum_due}
    least = [f"{amount} {currency}" for currency, amount in sorted(amounts.items())]
    least.append(f"{policy.minimum_due_otherwise}{' in other currencies' if least else ''}")
    words = [f"at least {', '.join(least)} left together"]
    if rule.percent:
        words.append(f"at least {rule.percent} percent of the totals")
    return "; ".join([*words, *(NEEDS[need] for need in rule.needs)])


def _diagram(policy: Policy) -> Iterator[str]:
    """From top to bottom; what stands before the chain leads to the due date, and the hand-over beside it."""
    for rule in policy.stages:
        if rule.before_due:
            yield f"{rule.stage}"
            yield f"   |  {_when(rule)}"
            yield "   v"
    yield "due date"
    for rule in policy.stages:
        if not rule.before_due and rule.does is not Does.HAND_OVER:
            yield f"   |  {_when(rule)}"
            yield "   v"
            yield rule.stage
    for rule in policy.stages:
        if rule.does is Does.HAND_OVER:
            yield ""
            yield f"due date ---- {_when(rule)} ----> {rule.stage}"
