"""Files on an invoice: attached under names that replace each other, and looked up by them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from albacore_pipeline.effects.interface import Later, Outcome, Succeeded
from albacore_pipeline.xero import batch
from albacore_pipeline.xero.interface import Attachment, Organisation, XeroError


def send(xero: Organisation, files: Sequence[Attachment], *, key: str) -> Outcome:
    """Attach files one by one, up to the first that does not get there."""
    for number, file in enumerate(files):
        outcome = batch.written(
            [file.name], partial(xero.attach, file, key=f"{key}-{number}"), accepted=lambda name: Succeeded({})
        )[file.name]
        if not isinstance(outcome, Succeeded):
            return outcome
    return Succeeded({"names": [file.name for file in files]})


def look_up(xero: Organisation, *, invoice_id: str, names: Collection[str]) -> Outcome:
    """Whether the invoice has files of all these names."""
    try:
        there = xero.attachments(invoice_id)
    except XeroError as error:
        return batch.not_looked_up(error)
    return Succeeded({"names": list(names)}) if set(names) <= set(there) else Later("not attached yet")
