"""Machines in batches, of which one is on its way while the one before is worked off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from albacore_pipeline.data_centres.batches import in_batches
from albacore_pipeline.data_centres.interface import FailedRead, Meaning, Samples
from albacore_pipeline_tests.data_centres.wire import WINDOW, always, reply

HTTP = always(reply(b"")).http()


def one_each(names: Sequence[str]) -> Iterator[Samples]:
    count = len(names)
    yield Samples(
        meaning=Meaning.GAUGE_W,
        machines=list(names),
        series=np.arange(count, dtype=np.int32),
        at_ms=np.zeros(count, dtype=np.int64),
        value=np.zeros(count),
    )


def test_every_machine_is_asked_for_once_in_even_batches_in_order() -> None:
    machines = [f"M{number}" for number in range(7)]
    batches = list(in_batches(machines=machines, size=3, window=WINDOW, http=HTTP, ask=one_each))
    assert [batch.machines for batch in batches] == [["M0", "M3", "M6"], ["M1", "M4"], ["M2", "M5"]]


def test_the_next_batch_is_asked_for_while_one_is_worked_off_and_no_other() -> None:
    asked: list[str] = []
    second = threading.Event()

    def ask(names: Sequence[str]) -> Iterator[Samples]:
        asked.append(names[0])
        if names[0] == "B":
            second.set()
        return one_each(names)

    batches = in_batches(machines=list("ABCDEF"), size=1, window=WINDOW, http=HTTP, ask=ask)
    assert next(batches).machines == ["A"]
    assert second.wait(10)
    assert asked == ["A", "B"]  # so that two batches at most are held, whatever the site's size
    batches.close()  # type: ignore[attr-defined]
    assert asked == ["A", "B"]


def test_the_failure_of_a_batch_ends_the_reading_where_it_stands() -> None:
    def ask(names: Sequence[str]) -> Iterator[Samples]:
        if names[0] == "C":
            raise FailedRead("norway: no answer")
        return one_each(names)

    batches = in_batches(machines=list("ABCDEF"), size=1, window=WINDOW, http=HTTP, ask=ask)
    assert [next(batches).machines, next(batches).machines] == [["A"], ["B"]]
    with pytest.raises(FailedRead, match="no answer"):
        next(batches)
