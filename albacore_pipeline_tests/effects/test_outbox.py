"""The outbox: intents, outcomes, gates, and processes that die or meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.interface import Cancelled, Effect, Later, Outcome, Parked, Succeeded, Unknown
from albacore_pipeline.effects.outbox import dispatch, prepare
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.effects.external import (
    LIVE,
    NOW,
    ScriptedHandler,
    World,
    WorldHandler,
    dispatch_until_free,
    intend,
    states,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(path=tmp_path / "world")


def run(
    engine: sa.Engine, handler: ScriptedHandler | WorldHandler, clock: FrozenClock, gate: Gate = LIVE
) -> dict[str, int]:
    return dict(dispatch(engine=engine, handlers=[handler], clock=clock, gate=gate))


def error_of(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        error: str | None = connection.execute(sa.text("select error from albacore.effect")).scalar_one()
    return error


# Intents


def test_the_same_intent_again_is_the_same_effect(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        first = prepare(connection, kind="test", business_key="a", payload={"x": 1, "y": "ø"}, now=NOW)
        again = prepare(connection, kind="test", business_key="a", payload={"y": "ø", "x": 1}, now=NOW)
    assert first == again
    assert states(engine) == {"a": "prepared"}


def test_another_payload_under_the_same_key_is_refused(engine: sa.Engine) -> None:
    intend(engine, "a")
    with engine.connect() as connection, pytest.raises(ValueError, match="a exists with another payload"):
        prepare(connection, kind="test", business_key="a", payload={"x": 2}, now=NOW)


def test_two_writers_of_one_intent_get_the_same_effect(engine: sa.Engine) -> None:
    """The slower one waits for the quicker one's commit, which its own snapshot does not show."""
    written: list[int] = []
    ready = threading.Barrier(8)

    def write() -> None:
        for number in range(5):
            with engine.begin() as connection:
                connection.execute(sa.text("select 1"))
                ready.wait(timeout=30)
                written.append(prepare(connection, kind="test", business_key=f"a{number}", payload={}, now=NOW))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)

    assert len(written) == 8 * 5, "a writer failed"
    assert len(set(written)) == 5


def test_an_intent_that_is_rolled_back_never_goes_out(engine: sa.Engine, clock: FrozenClock) -> None:
    with engine.connect() as connection:
        prepare(connection, kind="test", business_key="a", payload={}, now=NOW)
        connection.rollback()
    assert run(engine, ScriptedHandler(), clock) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "update albacore.effect set payload = '{}'",
        "update albacore.effect set business_key = 'b'",
        "update albacore.effect set kind = 'mail'",
        "delete from albacore.effect",
    ],
)
def test_a_committed_intent_never_changes(engine: sa.Engine, statement: str) -> None:
    intend(engine, "a")
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="never changes"):
        connection.execute(sa.text(statement))


# Outcomes


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Succeeded({"id": 1}), "done"), (Parked("a person must look"), "parked"), (Cancelled("not wanted"), "cancelled")],
)
def test_a_final_outcome_ends_the_effect(engine: sa.Engine, clock: FrozenClock, outcome: Outcome, state: str) -> None:
    intend(engine, "a")
    handler = ScriptedHandler(sends=[outcome])
    assert run(engine, handler, clock) == {state: 1}
    clock.advance(days=30)
    assert run(engine, handler, clock) == {}
    assert states(engine) == {"a": state}
    assert handler.settled == [outcome]
    assert error_of(engine) == getattr(outcome, "reason", None)


def test_later_is_tried_again_after_growing_pauses(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "a")
    handler = ScriptedHandler(sends=[Later("busy") for _ in range(12)])
    pauses = []
    for _ in range(12):
        assert run(engine, handler, clock) == {"prepared": 1}
        with engine.connect() as connection:
            next_try = connection.execute(sa.text("select next_try_at from albacore.effect")).scalar_one()
        pauses.append((next_try - clock.now()) / timedelta(minutes=1))
        clock.at = next_try - timedelta(seconds=1)
        assert run(engine, handler, clock) == {}, "too early"
        clock.at = next_try
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360, 360]


def test_later_keeps_to_the_pause_that_it_was_given(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "a")
    handler = ScriptedHandler(sends=[Later("wait 37 s", timedelta(seconds=37)), Succeeded({})])
    run(engine, handler, clock)
    clock.advance(seconds=36)
    assert run(engine, handler, clock) == {}
    clock.advance(seconds=1)
    assert run(engine, handler, clock) == {"done": 1}


def test_a_pause_of_nothing_is_still_a_pause(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "a")
    handler = ScriptedHandler(sends=[Later("Retry-After: 0", timedelta(0)), Succeeded({})])
    assert run(engine, handler, clock) == {"prepared": 1}, "the same delivery must not ask again at once"
    clock.advance(seconds=1)
    assert run(engine, handler, clock) == {"done": 1}


def test_the_unknown_is_looked_up_before_it_is_sent_again(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "found", "absent", "open")
    answers: list[Outcome] = [Succeeded({}), Later("not there"), Unknown("no answer")]
    handler = ScriptedHandler(sends=[*[Unknown("lost")] * 3, Succeeded({})], look_ups=answers)
    assert run(engine, handler, clock) == {"unknown": 3}
    clock.advance(hours=1)
    assert run(engine, handler, clock) == {"done": 2, "unknown": 1}
    assert handler.asked == ["send"] * 3 + ["look up"] * 3 + ["send"], "only what is absent is sent again"
    assert states(engine) == {"found": "done", "absent": "done", "open": "unknown"}


def test_what_certainly_did_not_happen_is_not_looked_up(engine: sa.Engine, clock: FrozenClock) -> None:
    """Else a machine that somebody else switched off meanwhile would be taken for one that we did."""
    intend(engine, "a")
    handler = ScriptedHandler(sends=[Later("gate closed"), Succeeded({})])
    run(engine, handler, clock)
    clock.advance(hours=1)
    assert run(engine, handler, clock) == {"done": 1}
    assert handler.asked == ["send", "send"]


def test_a_kind_that_fails_leaves_its_effects_in_doubt(engine: sa.Engine, clock: FrozenClock) -> None:
    class Failing(ScriptedHandler):
        def send(self, effects: Sequence[Effect]) -> list[Outcome]:
            raise ZeroDivisionError

    intend(engine, "a")
    with pytest.raises(ZeroDivisionError):
        run(engine, Failing(), clock)
    assert states(engine) == {"a": "sending"}
    handler = ScriptedHandler(look_ups=[Succeeded({})])
    assert run(engine, handler, clock) == {"done": 1}, "the lock was given back, and it is looked up"


def test_settling_is_one_transaction_with_what_it_means_to_the_room(engine: sa.Engine, clock: FrozenClock) -> None:
    class Failing(ScriptedHandler):
        def settle(self, connection: sa.Connection, *, effect: Effect, outcome: Outcome, now: datetime) -> None:
            raise ZeroDivisionError

    intend(engine, "a")
    with pytest.raises(ZeroDivisionError):
        run(engine, Failing(sends=[Succeeded({})]), clock)
    assert states(engine) == {"a": "sending"}


# Gates


def test_a_dry_run_sends_nothing(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "a", month="2025-10")
    assert run(engine, ScriptedHandler(), clock, Gate(live=False)) == {}
    assert states(engine) == {"a": "prepared"}


def test_months_before_live_from_never_go(engine: sa.Engine, clock: FrozenClock) -> None:
    intend(engine, "old", month="2025-09")
    intend(engine, "new", month="2025-10")
    intend(engine, "ageless")
    handler = ScriptedHandler(sends=[Succeeded({}), Succeeded({})])
    gate = Gate(live=True, live_from="2025-10")
    assert run(engine, handler, clock, gate) == {"done": 2}
    clock.advance(days=400)
    assert run(engine, handler, clock, gate) == {}
    assert states(engine) == {"old": "prepared", "new": "done", "ageless": "done"}


# Processes that die, and processes that meet


def deliver_and_die(engine: sa.Engine, world: World, when: str, nth: int) -> int:
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "albacore_pipeline_tests.effects.external", url, str(world.path), when, str(nth)]
    return subprocess.run(command, cwd=PROJECT, timeout=60, env=os.environ | {"PYTHONPATH": str(PROJECT)}).returncode


@pytest.mark.parametrize(("when", "nth"), [("before", 1), ("after", 1), ("before", 3), ("after", 4)])
def test_killed_while_sending_each_act_still_happens_once(
    engine: sa.Engine, clock: FrozenClock, world: World, when: str, nth: int
) -> None:
    keys = ["a", "b", "c", "d", "e"]
    intend(engine, *keys)
    assert deliver_and_die(engine, world, when, nth) == -signal.SIGKILL
    assert "sending" in states(engine).values()
    dispatch_until_free(engine, WorldHandler(world=world), clock)
    assert sorted(world.acts()) == keys
    assert set(states(engine).values()) == {"done"}


def test_killed_again_and_again_ends_the_same(engine: sa.Engine, clock: FrozenClock, world: World) -> None:
    intend(engine, "a", "b", "c")
    for when in ("after", "before"):
        deliver_and_die(engine, world, when, 1)
    dispatch_until_free(engine, WorldHandler(world=world), clock)
    assert sorted(world.acts()) == ["a", "b", "c"]


def test_processes_that_meet_act_once_each(engine: sa.Engine, clock: FrozenClock, world: World) -> None:
    keys = [f"k{number:02}" for number in range(40)]
    intend(engine, *keys)
    start = threading.Barrier(4)

    def work() -> None:
        own = sa.create_engine(engine.url, poolclass=sa.NullPool)
        start.wait()
        dispatch(engine=own, handlers=[WorldHandler(world=world)], clock=clock, gate=LIVE)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(world.acts()) == keys
    assert set(states(engine).values()) == {"done"}


def test_a_kind_that_another_process_delivers_is_left_to_it(
    engine: sa.Engine, clock: FrozenClock, world: World
) -> None:
    seen = []

    def meanwhile(_: int) -> None:
        seen.append(run(engine, ScriptedHandler(), clock))

    intend(engine, "a")
    run(engine, WorldHandler(world=world, before=meanwhile), clock)
    assert seen == [{"busy": 1}]


def test_a_lost_claim_settles_nothing(engine: sa.Engine, clock: FrozenClock) -> None:
    """The lock's connection breaks while we send; another process takes over and settles. Our late word is void."""

    class Slow(ScriptedHandler):
        def send(self, effects: Sequence[Effect]) -> list[Outcome]:
            other = sa.create_engine(engine.url, poolclass=sa.NullPool)
            with other.connect() as connection:
                connection.execute(
                    sa.text(
                        "select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database"
                        " where locktype = 'advisory' and datname = current_database()"
                    )
                )
            successor = ScriptedHandler(look_ups=[Succeeded({"by": "successor"})])
            while dispatch(engine=other, handlers=[successor], clock=clock, gate=LIVE)["busy"]:
                pass
            return [Parked("too late") for _ in effects]

    intend(engine, "a")
    slow = Slow()
    with pytest.raises(sa.exc.OperationalError):  # its lock is gone
        run(engine, slow, clock)
    assert states(engine) == {"a": "done"}
    assert slow.settled == []
