"""From one call with many elements to an outcome for each.

Belongs here: which answer belongs to which element, and what an error of the call means for all of them.
Does not belong here: what an answer of one kind means; `contacts.py`, `documents.py` and their neighbours know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from albacore_pipeline.effects.interface import Later, Outcome, Parked, Unknown
from albacore_pipeline.xero.interface import (
    NothingSent,
    Read,
    Refused,
    Rejected,
    Seen,
    Unreadable,
    Written,
    XeroError,
)

T = TypeVar("T")
Answer = TypeVar("Answer", bound=Seen[object] | Rejected | Unreadable)


def parked(answer: Rejected) -> Outcome:
    """A rejection that a person must look at."""
    return Parked(answer.words)


def written(
    identities: Sequence[str],
    call: Callable[[], Sequence[Written[T]]],
    *,
    accepted: Callable[[T], Outcome],
    rejected: Callable[[Rejected], Outcome] = parked,
) -> dict[str, Outcome]:
    """What a write means for each of its elements, by identity; nothing is called for none.

    An error of the call is every element's. An element of which the answer says nothing is in doubt.
    """
    if not identities:
        return {}
    try:
        answers = by_identity(identities, call())
    except XeroError as error:
        return dict.fromkeys(identities, outcome_of(error))
    return {identity: _outcome(answers.get(identity), accepted, rejected) for identity in identities}


def looked_up(
    identities: Sequence[str],
    call: Callable[[], Sequence[Read[T]]],
    *,
    found: Callable[[T], Outcome],
    missing: Outcome,
) -> dict[str, Outcome]:
    """What a read means for each element that is in doubt, by identity; `missing` is what it means not to be there.

    What can't be read stays in doubt; nothing is called for none.
    """
    if not identities:
        return {}
    try:
        answers = by_identity(identities, call())
    except XeroError as error:
        return dict.fromkeys(identities, not_looked_up(error))
    return {
        identity: _outcome(answers[identity], found, parked) if identity in answers else missing
        for identity in identities
    }


def outcome_of(error: XeroError) -> Outcome:
    """What an error of a write means for the elements that it carried."""
    match error:
        case NothingSent():
            return Later(str(error), error.after)
        case Refused():
            return Parked(str(error))
        case _:
            return Unknown(str(error))


def not_looked_up(error: XeroError) -> Outcome:
    """What an error of a read means for what is in doubt."""
    return Unknown(f"can't look it up: {error}")


def by_identity(identities: Sequence[str], answers: Sequence[Answer]) -> dict[str, Answer | Unreadable]:
    """The answer for each identity that has one. What was not asked for is ignored.

    Two answers that contradict each other say nothing. Neither is a missing one known to be missing while some answer
    doesn't say whose it is; a rejection that doesn't is that of the one element that is left, if just one is.
    """
    asked, found = set(identities), dict[str, Answer | Unreadable]()
    nameless = [answer for answer in answers if not answer.identity]
    for answer in answers:
        if answer.identity in asked and found.setdefault(answer.identity, answer) != answer:
            found[answer.identity] = Unreadable(identity=answer.identity, words="Xero answered twice, and not alike")
    left = [identity for identity in identities if identity not in found]
    if len(left) == len(nameless) == 1 and isinstance(nameless[0], Rejected):
        found[left[0]] = nameless[0]
    elif nameless:
        found |= {each: Unreadable(identity=each, words="Xero's answer doesn't say which is which") for each in left}
    return found


def _outcome(
    answer: Written[T] | None, accepted: Callable[[T], Outcome], rejected: Callable[[Rejected], Outcome]
) -> Outcome:
    match answer:
        case Seen(value=value):
            return accepted(value)
        case Rejected():
            return rejected(answer)
        case Unreadable(words=words):
            return Unknown(words)
        case None:
            return Unknown("Xero's answer says nothing about it")
