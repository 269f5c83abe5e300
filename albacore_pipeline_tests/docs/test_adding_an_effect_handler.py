"""docs/adding-an-effect-handler.md: its handler survives what may happen between us and the outside world."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
import sqlalchemy as sa

from albacore_pipeline.effects.gate import Gate
from albacore_pipeline.effects.outbox import dispatch
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.docs.pages import DOCS, blocks, module_of
from albacore_pipeline_tests.effects.external import states

KEY, INTENT, HANDLER = blocks(DOCS / "adding-an-effect-handler.md", "python")

# The blocks as one module; the key's function stands there as if it were in `effects/keys.py`.
ROOM = f"""
from albacore_pipeline.effects.outbox import prepare

{HANDLER}
{KEY}

class keys:
    status_entry = staticmethod(status_entry)


{INTENT}
"""


@dataclass
class StatusPage:
    """A status page. `writing` is called around each write, with what the page would answer; it may raise."""

    entries: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    writing: Callable[[Callable[[], httpx.Response]], httpx.Response] = lambda write: write()

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="https://status.example", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        key = request.url.path.removeprefix("/entries/")
        if request.method == "GET":
            return httpx.Response(200 if key in self.entries else 404)

        def write() -> httpx.Response:
            self.writes += 1
            self.entries[key] = json.loads(request.content)["text"]
            return httpx.Response(200)

        return self.writing(write)


@pytest.fixture
def page() -> StatusPage:
    return StatusPage()


@pytest.fixture
def run(
    engine: sa.Engine, clock: FrozenClock, page: StatusPage, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, str]]:
    """Writes the intent, and then dispatches it each time it is called; an hour lies between."""
    room = module_of(ROOM, monkeypatch)
    with engine.begin() as connection:
        room.intend_entry(connection, step_id=1, machine_id=2, machine="NO-0001", now=clock.now())

    def dispatched() -> dict[str, str]:
        handler = room.StatusHandler(page=page.client())
        dispatch(engine=engine, handlers=[handler], clock=clock, gate=Gate(live=True))
        clock.advance(hours=1)
        return states(engine)

    return dispatched


def once(fault: Callable[[Callable[[], httpx.Response]], httpx.Response], page: StatusPage) -> None:
    """The first write goes wrong in this way, later ones go well."""

    def writing(write: Callable[[], httpx.Response]) -> httpx.Response:
        page.writing = lambda write: write()
        return fault(write)

    page.writing = writing


def test_an_entry_is_written_once(run: Callable[[], dict[str, str]], page: StatusPage) -> None:
    assert run() == run() == {"status:1:2": "done"}
    assert (page.entries, page.writes) == ({"status:1:2": "NO-0001 is paused"}, 1)


def test_an_entry_whose_answer_was_lost_is_found_and_not_written_again(
    run: Callable[[], dict[str, str]], page: StatusPage
) -> None:
    def lost(write: Callable[[], httpx.Response]) -> httpx.Response:
        write()
        raise httpx.ReadTimeout("too late")

    once(lost, page)
    assert run() == {"status:1:2": "unknown"}
    assert run() == {"status:1:2": "done"}
    assert page.writes == 1


@pytest.mark.parametrize(
    ("fault", "state"), [(httpx.ConnectError("down"), "prepared"), (httpx.ReadError("cut"), "unknown")]
)
def test_an_entry_that_never_arrived_is_written_later(
    run: Callable[[], dict[str, str]], page: StatusPage, fault: httpx.HTTPError, state: str
) -> None:
    def never(_: Callable[[], httpx.Response]) -> httpx.Response:
        raise fault

    once(never, page)
    assert run() == {"status:1:2": state}
    assert run() == {"status:1:2": "done"}
    assert page.writes == 1


def test_an_entry_that_is_refused_waits_for_a_person(run: Callable[[], dict[str, str]], page: StatusPage) -> None:
    once(lambda _: httpx.Response(422), page)
    assert run() == run() == {"status:1:2": "parked"}
    assert page.writes == 0
