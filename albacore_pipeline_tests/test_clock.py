"""A Clock that is read over HTTP: seldom, never back, never beyond the machine's own time, and never guessed."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from albacore_pipeline.periods import Clock, ClockFailure, HttpClock, SystemClock
from albacore_pipeline.settings import Settings
from albacore_pipeline_tests.clocks import FrozenClock, utc

URL = "http://127.0.0.1:4100/sandbox/clock"
NOW = utc("2025-11-01T06:00")


class World:
    """A world whose time a test sets, and the machine's monotonic time."""

    def __init__(self) -> None:
        self.body: object = {"now": NOW.isoformat()}
        self.status = 200
        self.readings = 0
        self.seconds = 1000.0

    def says(self, now: datetime) -> None:
        self.body = {"now": now.isoformat()}

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == URL
        self.readings += 1
        return httpx.Response(self.status, json=self.body)

    def clock(self, *, system: Clock | None = None) -> HttpClock:
        transport = httpx.MockTransport(self.answer)
        return HttpClock(
            URL, transport=transport, monotonic=lambda: self.seconds, system=system or FrozenClock(utc("2030-01-01"))
        )


def test_it_is_read_at_most_once_a_second_and_runs_on_between() -> None:
    world = World()
    clock = world.clock()

    times = []
    for _ in range(10):
        times.append(clock.now() - NOW)
        world.seconds += 0.25
        world.says(NOW + timedelta(seconds=world.seconds - 1000))

    assert times == [timedelta(seconds=0.25 * n) for n in range(10)]
    assert world.readings == 3


def test_a_move_is_seen_within_a_second_and_at_once_by_whoever_made_it() -> None:
    world = World()
    clock = world.clock()
    clock.now()
    world.says(NOW + timedelta(days=3))

    assert clock.now() == NOW
    world.seconds += 1
    assert clock.now() == NOW + timedelta(days=3)
    world.says(NOW + timedelta(days=5))
    clock.read_again()
    assert clock.now() == NOW + timedelta(days=5)


def test_it_never_goes_back() -> None:
    world = World()
    clock = world.clock()
    clock.now()
    world.seconds += 0.9
    before = clock.now()
    world.seconds += 0.1
    world.says(NOW + timedelta(seconds=0.5))  # read late: the answer was long under way

    assert clock.now() == before


def test_it_never_passes_the_machine_s_own_time() -> None:
    world, system = World(), FrozenClock(NOW + timedelta(seconds=1))
    world.says(NOW + timedelta(days=1))

    assert world.clock(system=system).now() == NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}), (404, {}), (200, {}), (200, []), (200, {"now": None}), (200, {"now": "soon"}),
        (200, {"now": "2025-11-01T06:00"}),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_an_error_and_never_the_machine_s_time(status: int, body: object) -> None:
    world = World()
    clock = world.clock()
    clock.now()
    world.seconds += 60
    world.status, world.body = status, body

    with pytest.raises(ClockFailure, match=r"^ALBACORE_CLOCK_URL: .*; eval .* starts the sandbox again"):
        clock.now()


def test_a_clock_that_is_not_there_is_an_error_with_the_mend() -> None:
    with pytest.raises(ClockFailure, match="ALBACORE_CLOCK_URL: no time is told there"):
        HttpClock("http://127.0.0.1:1/sandbox/clock").now()


def test_the_settings_lead_to_one_clock_for_an_address_and_else_to_the_machine_s() -> None:
    settings = Settings.as_given({"ALBACORE_CLOCK_URL": URL})

    assert isinstance(settings.clock(), HttpClock)
    assert settings.clock() is Settings.as_given({"ALBACORE_CLOCK_URL": URL}).clock()
    assert isinstance(Settings.as_given({}).clock(), SystemClock)
