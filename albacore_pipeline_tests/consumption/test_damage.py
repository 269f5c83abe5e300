"""Damaged answers of each interface, as a whole day meets them: refused or set apart, and nothing stored by halves."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from albacore_pipeline.consumption.collect import Collected
from albacore_pipeline.data_centres.interface import FailedRead
from albacore_pipeline_tests.consumption.small_sites import (
    Points,
    SmallSite,
    collect,
    counts,
    forget,
    hourly,
    open_site,
    readings,
)

INTERFACES = ("norway", "finland", "ethiopia", "indonesia")
MARK = 1234.5  # a value that stands in an answer once
NOTHING = dict.fromkeys(("machine", "collection", "machine_day", "quarantined_reading", "inventory_change"), 0)


def marked(name: str, *, at: int = 10) -> tuple[SmallSite, bytes]:
    """A site of two machines, one of whose readings is MARK, and MARK as the site writes it."""
    site = hourly(name)
    points = readings(site)
    level = points[at][1] + 0.5 if name == "norway" else 1.2345 if name == "indonesia" else MARK
    odd = [*points[:at], (points[at][0], level), *points[at + 1 :]]
    return SmallSite(site, {"A-0001": odd, "A-0002": points}), repr(level).encode()


def failed(engine: sa.Engine, small: SmallSite, **options: Any) -> str:
    """Why the day could not be collected; nothing of it is stored."""
    with pytest.raises(FailedRead) as caught:
        collect(engine, small, attempts=1, **options)
    assert counts(engine) == NOTHING
    assert str(caught.value).startswith(f"{small.site.name} 2025-10-20: ")
    return str(caught.value)


def refused(engine: sa.Engine) -> list[tuple[str, str]]:
    """Machines and reasons in quarantine."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("select machine, reason from albacore.quarantined_reading order by 1, 2"))
        return [tuple(row) for row in rows]


@pytest.fixture(params=INTERFACES)
def name(request: pytest.FixtureRequest, engine: sa.Engine) -> str:
    name: str = request.param
    open_site(engine, hourly(name))
    return name


def test_an_undamaged_day_is_stored_whole(engine: sa.Engine, name: str) -> None:
    small, _ = marked(name)
    collected = collect(engine, small)
    assert collected.stored.new
    assert collected.energy.day_quality() == ["measured", "measured"]
    assert counts(engine) == {**NOTHING, "machine": 2, "collection": 1, "machine_day": 2}


def test_an_answer_cut_off_at_any_byte_stores_nothing(engine: sa.Engine, name: str) -> None:
    small, _ = marked(name)
    small.machines = {machine: points[9:12] for machine, points in small.machines.items()}
    whole: list[bytes] = []

    def lose(body: bytes) -> bytes:
        whole.append(body)
        return b""

    small.damage = lose
    failed(engine, small)
    length = len(whole[0])
    if name == "indonesia":
        small.declared = length  # between two of its lines nothing else would tell
    for cut in range(length - 1):
        small.damage = operator.itemgetter(slice(cut))
        with pytest.raises(FailedRead):
            collect(engine, small, attempts=1)
    assert counts(engine) == NOTHING
    small.damage = bytes
    assert collect(engine, small).stored.new  # so it was the cut


def test_a_value_of_the_wrong_type_is_set_apart_or_ends_the_reading(engine: sa.Engine, name: str) -> None:
    small, token = marked(name)
    written = b'"%s"' % token if name in ("norway", "finland") else token
    for wrong in (b"null", b"true", b'"x"', b"[1]", b"{}"):
        small.damage = lambda body, wrong=wrong: body.replace(written, wrong)  # type: ignore[misc]
        try:
            collected = collect(engine, small, attempts=1)
        except FailedRead:
            assert counts(engine) == NOTHING
        else:
            one_is_apart(engine, collected, "not a number")
            forget(engine)


def one_is_apart(engine: sa.Engine, collected: Collected, *reasons: str) -> None:
    """One machine's reading is in quarantine, and the other machine has all of its day."""
    assert [machine for machine, _ in refused(engine)] == ["A-0001"]
    assert refused(engine)[0][1] in reasons
    assert collected.energy.day_quality()[1] == "measured"
    assert collected.energy.wh[1] == 24 * 1200
    assert "refused" in collected.energy.flags[0]


def test_a_number_that_no_meter_shows_is_set_apart(engine: sa.Engine, name: str) -> None:
    small, token = marked(name)
    for odd in (b"NaN", b"1e400", b"-1e400", b"Infinity", b"-3.5"):
        small.damage = lambda body, odd=odd: body.replace(token, odd)  # type: ignore[misc]
        try:
            collected = collect(engine, small, attempts=1)
        except FailedRead as error:  # bare, it is no JSON
            assert odd in (b"NaN", b"Infinity")
            assert "no JSON" in str(error)
            assert counts(engine) == NOTHING
        else:
            one_is_apart(engine, collected, "not a finite number", "not a number", "negative")
            forget(engine)


def test_a_value_a_thousandfold_is_set_apart(engine: sa.Engine, name: str) -> None:
    small, token = marked(name)
    small.damage = lambda body: body.replace(token, str(float(token) * 1000).encode())
    reasons = (
        "more than the machine can draw, or absurd",
        "off the counter's course, to which it came back",
        "a step of more than the machine can draw",
    )
    one_is_apart(engine, collect(engine, small), *reasons)


def test_a_site_that_changes_its_unit_bills_nobody_a_thousandfold(engine: sa.Engine, name: str) -> None:
    site = hourly(name)
    points = [(ms, value * 1000) for ms, value in readings(site)]
    collected = collect(engine, SmallSite(site, {"A-0001": points, "A-0002": readings(site)}))
    assert collected.energy.wh.tolist() == [0, 24 * 1200]
    assert collected.energy.day_quality() == ["missing", "measured"]
    assert {machine for machine, _ in refused(engine)} == {"A-0001"}


def test_stamps_from_the_future_count_for_nothing(engine: sa.Engine, name: str) -> None:
    site = hourly(name)
    year = 365 * 24 * 3_600_000
    points = readings(site)
    ahead = [(ms + year, value) for ms, value in points]
    collected = collect(engine, SmallSite(site, {"A-0001": ahead, "A-0002": [*points, *ahead]}))
    assert collected.energy.wh.tolist() == [0, 24 * 1200]
    assert collected.energy.day_quality() == ["missing", "measured"]


def test_another_site_s_machines_are_set_apart(engine: sa.Engine, name: str) -> None:
    small, _ = marked(name)
    small.damage = lambda body: body.replace(b"A-0002", b"Z-9999")
    if name == "finland":  # its rows bear numbers of items instead of names
        small.damage = lambda body: body.replace(b'"itemid": "2"', b'"itemid": "77"')
    collected = collect(engine, small)
    ((machine, reason),) = refused(engine)
    assert machine in ("Z-9999", "item 77")
    assert reason in ("a machine that was not asked for", "a machine that the site does not list")
    assert collected.energy.day_quality() == ["measured", "missing"]


class Endless(httpx.SyncByteStream):
    """Documents that say each time that more follows."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b'{"results": [{"series": [], "partial": true}]}\n' * 100


def test_an_answer_without_an_end_is_given_up_at_the_cap(engine: sa.Engine, name: str) -> None:
    small, _ = marked(name)
    small.stream = Endless()
    assert "larger than 100000 bytes" in failed(engine, small, max_bytes=100_000)


def test_a_page_that_is_not_the_last_is_no_answer(engine: sa.Engine) -> None:
    open_site(engine, hourly("ethiopia"))
    small, _ = marked("ethiopia")
    small.damage = lambda body: body.replace(b'{"series"', b'{"partial": true, "series"')
    assert "lacks its end" in failed(engine, small)


def test_a_hall_of_machines_without_a_reading_is_a_failed_read(engine: sa.Engine, name: str) -> None:
    site = hourly(name)
    none: Points = []
    assert failed(engine, SmallSite(site, {"A-0001": none, "A-0002": none}))
