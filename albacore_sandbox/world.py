"""The world as one object: its clock, its memory, its machines and what bears on them.

Belongs here: putting the parts together.
Does not belong here: any interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from albacore_sandbox.clock import WorldClock
from albacore_sandbox.faults import Faults, Span
from albacore_sandbox.fleet import SHAPES, Fleet
from albacore_sandbox.lateness import hidden_until_arrival
from albacore_sandbox.power import Power
from albacore_sandbox.registry import COMPANIES, Handover
from albacore_sandbox.store import Store
from albacore_sandbox.truth import Conditions, Floats, Ints, Piece, Readings, readings, truth_by_hour


class World:
    """Everything outside of the pipeline. A home keeps the size and seed that it was made with."""

    def __init__(self, *, home: Path, machines_per_site: int, seed: int) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home.resolve()
        self.clock = WorldClock(home / "clock.json")
        self.store = Store(home / "world.sqlite")
        self.settings = self.store.collection("setting")
        if "fleet" not in self.settings:
            self.settings.put("fleet", {"machines_per_site": machines_per_site, "seed": seed})
        made = self.settings["fleet"]
        self.machines_per_site, self.seed = int(made["machines_per_site"]), int(made["seed"])
        self.fleets = {
            name: Fleet(shape=shape, count=self.machines_per_site, seed=self.seed) for name, shape in SHAPES.items()
        }
        self.power = Power(clock=self.clock, changes=self.store.collection("power"))
        self.faults = Faults(clock=self.clock, kept=self.store.collection("fault"), fleets=self.fleets)
        self._handovers = self.store.collection("handover")
        self.sessions = self.store.collection("zabbix_session")
        self.url = self.smtp_url = ""  # known once the server listens

    def conditions(self, site: str, *, span: Span) -> Conditions:
        """What bears on a site's machines at present, as far as it matters to a span."""
        fleet = self.fleets[site]
        pieces: dict[int, list[Piece]] = {}
        for source in (self.power.off_pieces(), self.faults.pieces(site)):
            for machine, some in source.items():
                if machine in fleet.rows:
                    pieces.setdefault(fleet.rows[machine], []).extend(some)
        hidden = self.faults.hidden(site)
        if fleet.shape.late:
            start_ms, end_ms = span
            hidden += hidden_until_arrival(fleet, start_ms=start_ms, end_ms=end_ms, now_ms=self.clock.now_ms())
        resets = {fleet.rows[machine]: at for machine, at in self.faults.resets(site).items()}
        return Conditions(pieces=pieces, resets=resets, hidden=hidden)

    def readings(self, site: str, *, rows: Sequence[int], span: Span) -> Readings:
        """What a site's meters say about some machines in a closed span, as far as it has arrived."""
        start_ms, end_ms = span[0], min(span[1], self.clock.now_ms())
        return readings(
            self.fleets[site],
            rows=_as_rows(rows),
            start_ms=start_ms,
            end_ms=end_ms,
            now_ms=self.clock.now_ms(),
            conditions=self.conditions(site, span=(start_ms, max(start_ms, end_ms))),
        )

    def truth(self, site: str, *, start_ms: int, hours: int) -> Floats:
        """The true Wh of all of a site's machines by UTC hour."""
        conditions = self.conditions(site, span=(start_ms, start_ms))
        return truth_by_hour(self.fleets[site], start_ms=start_ms, hours=hours, conditions=conditions)

    def hand_over(self, handover: Handover) -> None:
        """Note whose a machine is from a day on; the latest word on a machine counts."""
        if not any(handover.machine in fleet.rows for fleet in self.fleets.values()):
            raise ValueError(f"there is no machine {handover.machine}")
        if handover.customer not in {company.customer for company in COMPANIES}:
            raise ValueError(f"there is no customer {handover.customer}")
        noted = {"customer": handover.customer, "from_day": handover.from_day.isoformat()}
        self._handovers.put(handover.machine, noted)

    def handed_over(self) -> list[Handover]:
        """The machines that were handed over since the world was made."""
        return [
            Handover(machine=machine, customer=noted["customer"], from_day=date.fromisoformat(noted["from_day"]))
            for machine, noted in self._handovers.items()
        ]

    def close(self) -> None:
        """Close what is open."""
        self.store.close()


def _as_rows(rows: Sequence[int]) -> Ints:
    return np.asarray(rows, dtype=np.int64)
