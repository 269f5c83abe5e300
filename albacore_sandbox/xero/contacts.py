"""Contacts: who is invoiced.

Belongs here: creating, updating, finding and showing contacts.
Does not belong here: their documents.
"""

from __future__ import annotations

import uuid
from typing import Any

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.store import Collection, Document
from albacore_sandbox.xero.wire import Invalid, NotFound, ms_date

_PLAIN = (
    "ContactNumber", "AccountNumber", "Name", "FirstName", "LastName", "EmailAddress", "TaxNumber", "CompanyNumber",
    "DefaultCurrency", "Addresses", "Phones", "ContactPersons", "AccountsReceivableTaxType", "PaymentTerms",
    "Website", "ContactStatus",
)  # fmt: skip
_LENGTHS = {"ContactNumber": 50, "Name": 255, "EmailAddress": 255, "TaxNumber": 50, "AccountNumber": 50}


class Contacts:
    """The organisation's contacts."""

    def __init__(self, *, clock: WorldClock, kept: Collection) -> None:
        self._clock = clock
        self._kept = kept

    def all(self) -> list[Document]:
        """Every contact in wire form."""
        return [self.shown(key) for key in self._kept]

    def create(self, given: Document) -> Document:
        """PUT: a new contact; raises Invalid if its number or name is taken."""
        number, name = given.get("ContactNumber"), given.get("Name")
        if given.get("ContactID"):
            raise Invalid("The ContactID must not be given for a new contact")
        if number and self._by("ContactNumber", number):
            raise Invalid(f"The Contact Number {number} is already assigned to another contact.")
        if name and self._by("Name", name):
            text = f"The contact name {name} is already assigned to another contact. The contact name must be unique"
            raise Invalid(f"{text} across all active contacts.")
        return self._write(None, given)

    def save(self, given: Document) -> Document:
        """POST: update the contact with this id, number or name, or create it."""
        if given.get("ContactID"):
            return self._write(self.key(str(given["ContactID"])), given)
        number, name = given.get("ContactNumber"), given.get("Name")
        key = (self._by("ContactNumber", number) if number else None) or (self._by("Name", name) if name else None)
        return self._write(key, given)

    def resolve(self, given: Any) -> str:
        """The id of the contact that a document names; more than an id updates or creates it. Raises Invalid."""
        if not isinstance(given, dict) or not any(given.get(n) for n in ("ContactID", "ContactNumber", "Name")):
            raise Invalid("A Contact must be specified for this type of transaction")
        try:
            if given.get("ContactID") and not set(given) & set(_PLAIN):
                return self.key(str(given["ContactID"]))
            return str(self.save(given)["ContactID"])
        except NotFound:
            raise Invalid("The Contact could not be found.") from None

    def key(self, asked: str) -> str:
        """The id of the contact with this id or number. Raises NotFound."""
        if asked in self._kept:
            return asked
        found = self._by("ContactNumber", asked)
        if found is None:
            raise NotFound(asked)
        return found

    def shown(self, key: str) -> Document:
        """A contact in wire form."""
        kept = self._kept[key]
        fixed = {"ContactID": key, "ContactStatus": "ACTIVE", "IsCustomer": True, "IsSupplier": False}
        lists: Document = {
            "Addresses": [],
            "Phones": [],
            "ContactPersons": [],
            "ContactGroups": [],
            "SalesTrackingCategories": [],
        }
        own = {name: value for name, value in kept.items() if name != "updated"}
        flags = {"HasAttachments": False, "HasValidationErrors": False, "UpdatedDateUTC": ms_date(kept["updated"])}
        return fixed | lists | own | flags

    def brief(self, key: str) -> Document:
        """A contact as it stands in a document."""
        shown = self.shown(key)
        names = ("ContactID", "ContactNumber", "Name", "EmailAddress", "Addresses", "Phones", "ContactGroups")
        return {name: shown[name] for name in (*names, "ContactPersons") if name in shown} | {
            "HasValidationErrors": False
        }

    def _write(self, key: str | None, given: Document) -> Document:
        for name, most in _LENGTHS.items():
            if len(str(given.get(name) or "")) > most:
                raise Invalid(f"{name} exceeds the maximum length of {most}")
        if key is None and not given.get("Name"):
            raise Invalid("The contact name must be specified.")
        other = self._by("Name", given["Name"]) if given.get("Name") else None
        if key is not None and other not in (None, key):
            raise Invalid(f"The contact name {given['Name']} is already assigned to another contact.")
        new = {name: given[name] for name in _PLAIN if given.get(name) is not None}
        chosen = key or str(uuid.uuid4())
        self._kept.put(chosen, {**self._kept.get(chosen, {}), **new, "updated": self._clock.now()})
        return self.shown(chosen)

    def _by(self, name: str, value: str) -> str | None:
        asked = str(value).strip().lower()
        return next((k for k, c in self._kept.items() if str(c.get(name, "")).strip().lower() == asked), None)
