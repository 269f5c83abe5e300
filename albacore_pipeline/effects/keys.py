"""Business keys: by which an intent is the same intent, however often and by whom it is prepared.

| key | what happens once |
|---|---|
| `contact:CUSTOMER:SHA256` | Xero is told of a customer as he is now |
| `document:NUMBER` | Xero gets a document |
| `approve:NUMBER`, `attachment:NUMBER`, `allocation:NUMBER`, `sent:NUMBER` | what follows for it in Xero |
| `mail:document:NUMBER` | the customer gets the document |
| `mail:step:STEP:RECIPIENT` | somebody gets the notice of a step |
| `mail:approval:CASE:APPROVER:INSTANT` | an approver gets a code |
| `mail:ticket:KEY` | site operations get the ticket for a command |
| `power.pause:STEP:MACHINE`, `power.resume:STEP:MACHINE` | a machine is commanded |

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


def notice(*, step_id: int, recipient: str) -> str:
    """The mail of a step to one recipient."""
    return f"mail:step:{step_id}:{recipient}"


def approval(*, case_id: int, approver: str, asked_at: datetime) -> str:
    """The mail with an approver's code; asked again, it is another mail."""
    return f"mail:approval:{case_id}:{approver}:{asked_at:%Y-%m-%dT%H:%M:%S}"


def ticket(command_key: str) -> str:
    """The mail that asks site operations for a command."""
    return f"mail:ticket:{command_key}"


def command(*, kind: str, step_id: int, machine_id: int) -> str:
    """A command to a machine's power: `kind` is `power.pause` or `power.resume`."""
    return f"{kind}:{step_id}:{machine_id}"
