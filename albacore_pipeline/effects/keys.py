"""Business keys: by which an intent is the same intent, however often and by whom it is prepared.

| key | what happens once |
|---|---|
| `contact:CUSTOMER:SHA256` | Xero is told of a customer as he is now |
| `document:NUMBER` | Xero gets a document |
| `approve:NUMBER`, `attachment:NUMBER`, `allocation:NUMBER`, `sent:NUMBER` | what follows for it in Xero |
| `mail:document:NUMBER` | the customer gets the document |
| `mail:again:NUMBER:NTH` | he gets it once more, after a mail that came back |
| `mail:step:STEP:RECIPIENT` | somebody gets the notice of a step |
| `mail:task:KEY:INSTANT` | somebody gets a task |
| `mail:approval:PLAN:APPROVER` | an approver gets a code for a plan |
| `mail:withdrawn:PLAN` | a customer hears that an announced pause is off |
| `mail:running:COMMAND` | a customer hears that machines run again, from that command on |
| `mail:ticket:KEY` | site operations get the ticket for a command |
| `power.pause:PLAN:MACHINE` | a machine of a plan is paused |
| `power.resume:COMMAND:NTH` | what a command paused is switched on again; asked for once more, it is another command |

A mail's Message-ID is made from its key, so a key never changes its form while effects of the old one are under way.

Belongs here: every key, so that no two rooms make the same one. Nothing else makes or takes apart a key: SQL knows an
effect by its id, or by its kind and the document's number (`effect.number`).
"""

from __future__ import annotations

from datetime import datetime

from albacore_pipeline.effects.mail import MAIL


def contact(*, customer: str, sha256: str) -> str:
    """The details of a customer; other details are another intent."""
    return f"contact:{customer}:{sha256[:16]}"


def document(number: str) -> str:
    """The making of a document."""
    return f"document:{number}"


def follow_up(*, kind: str, number: str) -> str:
    """What a document needs next, by the kind of the effect: `xero.approve` and so on, or `mail`."""
    return f"mail:document:{number}" if kind == MAIL else f"{kind.removeprefix('xero.')}:{number}"


def mail_again(*, number: str, nth: int) -> str:
    """The mail of a document once more, after one that came back."""
    return f"mail:again:{number}:{nth}"


def notice(*, step_id: int, recipient: str) -> str:
    """The mail of a step to one recipient."""
    return f"mail:step:{step_id}:{recipient}"


def task(*, key: str, opened_at: datetime) -> str:
    """The mail of a task; opened again, it is another mail."""
    return f"mail:task:{key}:{opened_at:%Y-%m-%dT%H:%M:%S.%f}"


def approval(*, plan_id: int, approver: str) -> str:
    """The mail with an approver's code for a plan."""
    return f"mail:approval:{plan_id}:{approver}"


def running(*, command_id: int) -> str:
    """The mail that machines run again; named after the first of their commands."""
    return f"mail:running:{command_id}"


def withdrawn(*, plan_id: int) -> str:
    """The mail that a pause that was announced is off."""
    return f"mail:withdrawn:{plan_id}"


def ticket(command_key: str) -> str:
    """The mail that asks site operations for a command."""
    return f"mail:ticket:{command_key}"


def pause(*, plan_id: int, machine_id: int) -> str:
    """The pause of a machine of a plan."""
    return f"power.pause:{plan_id}:{machine_id}"


def resume(*, command_id: int, nth: int) -> str:
    """The `nth` resume of what a command paused."""
    return f"power.resume:{command_id}:{nth}"
