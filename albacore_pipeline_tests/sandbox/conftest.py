"""A world that is really running, and clients for it.

Belongs here: starting and ending worlds, and logging in.
Does not belong here: any test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from albacore_sandbox import process

ENERGY, CONTROL = ("billing", "demo-billing"), ("control", "demo-control")


@dataclass(frozen=True)
class Outside:
    """A running world and a client whose base is its address."""

    home: Path
    running: process.Running
    http: httpx.Client

    def move_to(self, instant: str) -> None:
        """Move the world's clock forward."""
        self.http.post("/sandbox/clock", json={"to": instant}).raise_for_status()

    def move_on(self, *, seconds: float) -> None:
        """Move the world's clock on."""
        self.http.post("/sandbox/clock", json={"days": seconds / 86_400}).raise_for_status()

    def fault(self, **fault: Any) -> None:
        """Switch a fault on."""
        self.http.post("/sandbox/faults", json=fault).raise_for_status()

    def truth(self, site: str, start: str, end: str) -> dict[str, list[float]]:
        """The true Wh of each machine by UTC hour."""
        answer = self.http.get("/sandbox/truth", params={"site": site, "start": start, "end": end})
        machines: dict[str, list[float]] = answer.raise_for_status().json()["machines"]
        return machines

    def xero(self) -> httpx.Client:
        """A client of the accounting API with a fresh token."""
        answer = self.http.post(
            "/xero/connect/token",
            auth=("demo-client", "demo-secret"),
            data={"grant_type": "client_credentials", "scope": "accounting.invoices accounting.contacts"},
        )
        token = answer.raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return httpx.Client(base_url=f"{self.running.url}/xero/api.xro/2.0", headers=headers, timeout=10)


@pytest.fixture(scope="session")
def make_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Outside]]:
    """Starts worlds of their own; all are ended with the session."""
    made: list[Outside] = []

    def make() -> Outside:
        home = tmp_path_factory.mktemp("world")
        running = process.start(home=home, machines_per_site=50, seed=7)
        made.append(Outside(home, running, httpx.Client(base_url=running.url, timeout=30)))
        return made[-1]

    yield make
    for world in made:
        world.http.close()
        process.stop(home=world.home)


@pytest.fixture(scope="session")
def shared(make_world: Callable[[], Outside]) -> Outside:
    """A world in November 2025, shared by tests that leave its clock and machines alone."""
    world = make_world()
    world.move_to("2025-11-12T06:00:00Z")
    return world


@pytest.fixture
def world(make_world: Callable[[], Outside]) -> Outside:
    """A world of one's own."""
    return make_world()
