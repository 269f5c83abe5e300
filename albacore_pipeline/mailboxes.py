"""Mail addresses: what is one, and which two are one person's.

Belongs here: the syntax and the normal form of an address. Does not belong here: whether anybody reads what is sent
there; a bounce says so.
"""

from __future__ import annotations

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

LONGEST = 254


def check_mailbox(address: str) -> str:
    """The address as it was written, if it is one; raises ValueError with the reason otherwise. Asks nobody."""
    _valid(address)
    return address


def _valid(address: str) -> ValidatedEmail:
    if len(address) > LONGEST:
        raise ValueError(f"it has {len(address)} characters: at most {LONGEST}")
    try:
        return validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error).rstrip(".")) from None


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII, as relays without SMTPUTF8 take it; the part before the @ stays.

    What is no address stays too: the relay says so.
    """
    try:
        return address if address.isascii() else f"{address.rpartition('@')[0]}@{_valid(address).ascii_domain}"
    except ValueError:
        return address


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses are one person's: case, a tag after a plus and the writing of the domain don't matter.

    Strictly, what stands before the @ is the receiver's own affair. Where two people must agree, one who writes himself
    in two ways is one person. What is no address is compared as it is written, but for case.
    """
    return _normal(one) == _normal(other)


def _normal(address: str) -> tuple[str, str]:
    try:
        valid = _valid(address)
    except ValueError:
        return address.strip().casefold(), ""
    return valid.local_part.partition("+")[0].casefold(), str(valid.ascii_domain).casefold()
