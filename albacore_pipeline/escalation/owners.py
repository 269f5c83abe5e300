"""What the owner of a stage is asked to do, and the jobs that stop or carry on the chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from albacore_pipeline.escalation.letters.facts import Letter, Task, WayOn
from albacore_pipeline.escalation.tasks import OwnedTask
from albacore_pipeline.registry.stages import Does, StageRule

WHAT = {
    Does.REMIND: "Ask the customer whether something is wrong with what is claimed, and note what he says.",
    Does.ANNOUNCE: "Speak with the customer before his machines are paused: this is the last notice before the plan.",
    Does.SCHEDULE: "Look whether this pause is right, before the first day on which it may be carried out. If it is,"
    " there is nothing to do; if not, veto it.",
    Does.PAUSE: "The machines below stand still. See that the customer knows how they run again.",
    Does.HAND_OVER: "Decide what becomes of this debt: an agreement, a write-off, or the law.",
}


def stage_task(
    *,
    step_id: int,
    stage: StageRule,
    owner: str,
    customer: str,
    letter: Letter,
    due_by: datetime,
    files: Sequence[Sequence[str]],
) -> OwnedTask:
    """The task that a stage gives to its owner."""
    numbers = [document.number for document in letter.overdue]
    return OwnedTask(
        key=f"step:{step_id}",
        owner=owner,
        customer=customer,
        number=numbers[0] if len(numbers) == 1 else None,
        files=files,
        task=Task(
            subject=f"{stage.stage} of {letter.name} ({customer})",
            what=WHAT[stage.does],
            why=f"{', '.join(numbers)} entered the stage {stage.stage}.",
            due_by=due_by,
            letter=letter,
            ways_on=_ways_on(step_id, stage, owner, customer, numbers),
        ),
    )


def _ways_on(step_id: int, stage: StageRule, owner: str, customer: str, numbers: Sequence[str]) -> tuple[WayOn, ...]:
    first = numbers[0] if numbers else ""
    ways = [WayOn(words="When it is done", job="finish_task", form=(("key", f"step:{step_id}"),))]
    if stage.does is Does.SCHEDULE:
        ways.append(WayOn(words="If the machines must not be paused", job="veto_pause", form=(("customer", customer),)))
    ways.append(
        WayOn(
            words="If the customer disputes a document, or lines of it",
            job="place_hold",
            form=(("customer", customer), ("number", first), ("kind", "dispute"), ("days", 30), ("owner", owner)),
        )
    )
    ways.append(
        WayOn(
            words="If he promises to pay",
            job="place_hold",
            form=(
                ("customer", customer),
                ("number", first),
                ("kind", "promise_to_pay"),
                ("days", 10),
                ("owner", owner),
            ),
        )
    )
    if stage.does is Does.HAND_OVER:
        ways.append(WayOn(words="If it is given up", job="write_off", form=(("number", first),)))
    return tuple(ways)
