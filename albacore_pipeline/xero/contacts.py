"""Contacts: written by their numbers, again if need be."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from albacore_pipeline.effects.interface import Later, Outcome, Succeeded
from albacore_pipeline.xero import batch
from albacore_pipeline.xero.interface import Contact, ContactDetails, Organisation


def send(xero: Organisation, contacts: Sequence[ContactDetails], *, key: str) -> dict[str, Outcome]:
    """Create or update the contacts in one call; outcomes by number, with Xero's `id`."""
    call = partial(xero.write_contacts, contacts, key=key)
    return batch.written([contact.number for contact in contacts], call, accepted=_written)


def look_up(contacts: Sequence[ContactDetails]) -> dict[str, Outcome]:
    """Writing a contact again is harmless, so nothing needs to be looked up."""
    return {contact.number: Later("writing the contact again") for contact in contacts}


def _written(contact: Contact) -> Outcome:
    return Succeeded({"id": contact.id})
