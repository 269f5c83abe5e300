"""The texts of the stages, and who gets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from albacore_pipeline.escalation.queries import OpenInvoice
from albacore_pipeline.registry.policies import Policy, Stage

SUBJECTS = {
    Stage.UPCOMING: "Payment due soon",
    Stage.REMINDER: "Reminder: payment overdue",
    Stage.OVERDUE: "Second reminder: payment overdue",
    Stage.FINAL_NOTICE: "Final notice before your machines are paused",
    Stage.PAUSE_SCHEDULED: "Your machines will be paused",
    Stage.PAUSED: "Your machines are being paused",
    Stage.RECOVERY: "Debt handed to the finance director",
}

WORDS = {
    Stage.UPCOMING: "your next payment is due soon:",
    Stage.REMINDER: "we have not received your payment yet. Perhaps it crossed this mail; otherwise please pay now:",
    Stage.OVERDUE: "your payment is overdue and our first reminder is unanswered. Please pay, or answer this mail:",
    Stage.FINAL_NOTICE: "in spite of our reminders your payment is still missing. If it does not arrive, we pause the"
    " machines named below, {pause_days} business days after this notice at the earliest:",
    Stage.PAUSE_SCHEDULED: "your payment is still missing. The machines named below will be paused after {acts_after}:",
    Stage.PAUSED: "your payment did not arrive. The machines named below are being switched off now, and on again as"
    " soon as the payment arrives:",
    Stage.RECOVERY: "the following debt is older than the policy allows and needs a decision:",
}

WITH_MACHINES = (Stage.FINAL_NOTICE, Stage.PAUSE_SCHEDULED, Stage.PAUSED)


def recipients(*, stage: Stage, email: str, account_manager: str, policy: Policy) -> list[str]:
    """Who must have had the notice for the stage to count as delivered; each address once."""
    addresses = {
        Stage.UPCOMING: [email],
        Stage.REMINDER: [email],
        Stage.OVERDUE: [email, account_manager],
        Stage.FINAL_NOTICE: [email, account_manager, policy.owner(stage)],
        Stage.PAUSE_SCHEDULED: [email, account_manager, policy.owner(stage)],
        Stage.PAUSED: [email, account_manager, policy.owner(stage)],
        Stage.RECOVERY: [policy.owner(stage)],
    }[stage]
    return list(dict.fromkeys(addresses))


def notice(
    *,
    stage: Stage,
    name: str,
    invoices: Sequence[OpenInvoice],
    machines: Sequence[str],
    policy: Policy,
    acts_after: datetime | None,
) -> tuple[str, str]:
    """Subject and text of a stage's notice."""
    words = WORDS[stage].format(
        pause_days=policy.pause_business_days,
        acts_after=f"{acts_after:%Y-%m-%d %H:%M} UTC" if acts_after else "",
    )
    lines = [f"Dear {name},", "", words, ""]
    lines += [
        f"  {invoice.number}: {invoice.amount_due:,.2f} {invoice.currency}, due on {invoice.due_on}\n"
        f"  pay here: {invoice.payment_link}"
        for invoice in invoices
    ]
    if stage in WITH_MACHINES:
        lines += ["", "Machines: " + (", ".join(machines) or "none")]
    lines += ["", "If you dispute the invoice or need time, answer this mail: a person will read it.", "", "Albacore"]
    return f"{SUBJECTS[stage]} ({', '.join(invoice.number for invoice in invoices)})", "\n".join(lines)
