"""A call with many elements becomes an outcome for each, whatever the answer holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albacore_pipeline.effects.interface import Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.xero.batch import by_identity, looked_up, written
from albacore_pipeline.xero.interface import (
    AnswerLost,
    NothingSent,
    Objection,
    Refused,
    Rejected,
    Seen,
    Unreadable,
    Written,
    XeroError,
)

SILENT = Unknown("Xero's answer says nothing about it")


def seen(identity: str, value: int = 1) -> Seen[int]:
    return Seen(identity=identity, value=value)


def no(identity: str, words: str = "no") -> Rejected:
    return Rejected(identity=identity, objection=Objection.OTHER, words=words)


def odd(identity: str) -> Unreadable:
    return Unreadable(identity=identity, words="can't be read")


def done(value: int) -> Outcome:
    return Succeeded({"value": value})


def outcomes(identities: Sequence[str], *answers: Written[int]) -> dict[str, Outcome]:
    return written(identities, lambda: answers, accepted=done)


def fails(error: XeroError) -> Callable[[], Sequence[Seen[int]]]:
    def call() -> Sequence[Seen[int]]:
        raise error

    return call


def test_answers_are_matched_by_what_they_name_and_not_by_their_place() -> None:
    assert outcomes(["a", "b", "c"], seen("c", 3), no("a"), seen("b", 2)) == {
        "a": Parked("no"), "b": Succeeded({"value": 2}), "c": Succeeded({"value": 3}),
    }  # fmt: skip


def test_an_element_that_the_answer_lacks_is_in_doubt_and_keeps_back_no_other() -> None:
    assert outcomes(["a", "b"], seen("b")) == {"a": SILENT, "b": done(1)}
    assert outcomes(["a", "b"]) == {"a": SILENT, "b": SILENT}


def test_an_element_that_can_not_be_read_is_in_doubt() -> None:
    assert outcomes(["a", "b"], seen("a"), odd("b")) == {"a": done(1), "b": Unknown("can't be read")}


def test_an_element_too_many_is_ignored_unless_it_contradicts() -> None:
    assert outcomes(["a"], seen("a"), seen("x"), no("y")) == {"a": done(1)}
    assert outcomes(["a"], seen("a"), seen("a")) == {"a": done(1)}
    twice = Unknown("Xero answered twice, and not alike")
    assert outcomes(["a"], seen("a", 1), seen("a", 2)) == {"a": twice}
    assert outcomes(["a"], seen("a"), no("a"), seen("a")) == {"a": twice}


def test_a_nameless_rejection_is_that_of_the_one_element_that_is_left() -> None:
    assert outcomes(["a", "b"], seen("a"), no("")) == {"a": done(1), "b": Parked("no")}
    unclear = Unknown("Xero's answer doesn't say which is which")
    assert outcomes(["a", "b"], no("")) == {"a": unclear, "b": unclear}
    assert outcomes(["a", "b"], no(""), no("", "neither")) == {"a": unclear, "b": unclear}
    assert outcomes(["a"], odd("")) == {"a": unclear}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NothingSent("limit", timedelta(seconds=7)), Later("limit", timedelta(seconds=7))),
        (AnswerLost("lost"), Unknown("lost")),
        (Refused("no", 400), Parked("no")),
    ],
)
def test_an_error_of_a_write_is_every_elements(error: XeroError, outcome: Outcome) -> None:
    assert written(["a", "b"], fails(error), accepted=done) == {"a": outcome, "b": outcome}


@pytest.mark.parametrize("error", [NothingSent("limit"), AnswerLost("lost"), Refused("no", 404)])
def test_what_can_not_be_looked_up_stays_in_doubt(error: XeroError) -> None:
    found = looked_up(["a", "b"], fails(error), found=done, missing=Later("not there"))
    assert found == dict.fromkeys("ab", Unknown(f"can't look it up: {error}"))


def test_only_what_a_readable_answer_lacks_counts_as_missing() -> None:
    missing = Later("not there")
    assert looked_up(["a", "b"], lambda: [seen("a")], found=done, missing=missing) == {"a": done(1), "b": missing}
    assert looked_up(["a"], lambda: [odd("a")], found=done, missing=missing) == {"a": Unknown("can't be read")}
    nameless = looked_up(["a", "b"], lambda: [seen("a"), odd("")], found=done, missing=missing)
    assert nameless == {"a": done(1), "b": Unknown("Xero's answer doesn't say which is which")}


def test_nothing_is_called_for_nothing() -> None:
    def call() -> Sequence[Seen[int]]:
        pytest.fail("called")

    assert written([], call, accepted=done) == {}
    assert looked_up([], call, found=done, missing=Later("")) == {}


names = st.sampled_from(["a", "b", "c", "x", ""])
answers = st.lists(st.one_of(st.builds(seen, names, st.integers(0, 1)), st.builds(no, names), st.builds(odd, names)))


@given(answers=answers, wanted=st.lists(st.sampled_from("abc"), unique=True))
def test_whatever_comes_each_element_has_one_outcome(answers: list[Written[int]], wanted: list[str]) -> None:
    result = outcomes(wanted, *answers)
    assert list(result) == wanted
    for identity, outcome in result.items():
        own = [answer for answer in answers if answer.identity == identity]
        if isinstance(outcome, Succeeded):
            assert own and set(own) == {seen(identity, outcome.answer["value"])}, "no success but by its own word"
    assert by_identity(wanted, answers).keys() <= set(wanted)
