"""What a person does to the pipeline: one transaction, one entry in the audit chain under the act's own name.

    act(connection, form, now) -> Done(subject, details, words)

Belongs here: the frame of every such act. Does not belong here: what an act does (each room's `acts.py`), nor how a
person reaches it (a job in Dagster, a page, a mailed link).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, Field

from albacore_pipeline.effects import audit


class OperatorForm(BaseModel):
    """What every act asks a person for."""

    actor: str = Field(description="who does this: an e-mail address or a login", min_length=1)
    reason: str = Field(description="why, for the audit", min_length=1)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an act did: to whom or what, the facts for the audit, and a line for the person.

    With `refused`, what was written stays (a wrong code is counted), and the person is told why he did not succeed.
    """

    subject: str
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""


Form = TypeVar("Form", bound=OperatorForm)
WhatWasDone = TypeVar("WhatWasDone", bound=Done)
Act = Callable[[sa.Connection, Form, datetime], WhatWasDone]


def perform(name: str, act: Act[Form, WhatWasDone], form: Form, *, engine: sa.Engine, now: datetime) -> WhatWasDone:
    """Run an act and append its entry, with actor and reason, in one transaction.

    A LookupError or ValueError says in one line what is wrong with the form; then nothing is changed.
    """
    if not form.actor.strip() or not form.reason.strip():
        raise ValueError("say who you are and why: actor and reason are empty")
    with engine.begin() as connection:
        done = act(connection, form, now)
        details = {**done.details, "reason": form.reason}
        audit.record(connection, now=now, actor=form.actor, action=name, subject=done.subject, details=details)
    if done.refused:
        raise ValueError(done.refused)
    return done
