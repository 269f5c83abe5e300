"""What goes wrong on request: requests that fail, and data that is odd.

Belongs here: the list of faults, which of them a request meets, and what the data faults do to a site's conditions.
Does not belong here: how a failed answer looks on the wire (`answers.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection as Names
from collections.abc import Mapping
from datetime import date

from albacore_sandbox.clock import WorldClock, instant
from albacore_sandbox.fleet import SHAPES, Fleet
from albacore_sandbox.store import Collection, Document
from albacore_sandbox.truth import Hidden, Piece

REQUEST_KINDS = {
    "outage", "http_500", "http_429", "truncated", "html", "empty", "empty_result", "error_in_200", "slow",
    "lost_answer",
}  # fmt: skip
XERO_KINDS = {"empty_list", "wrong_date"}  # an answer that claims that there is nothing; a false `Date`
DATA_KINDS = {
    "counter_reset": ("machine", "at"),
    "gap": ("machine", "start", "end"),
    "correction": ("machine", "day", "factor"),
    "late": ("site", "day", "until"),
}
TARGETS = {*SHAPES, "norway-control", "finland-control", "indonesia-control", "xero", "xero-token", "mail"}

Span = tuple[int, int]  # what a request asks for, in milliseconds since the epoch


class Faults:
    """The faults that are switched on, oldest first."""

    def __init__(self, *, clock: WorldClock, kept: Collection, fleets: Mapping[str, Fleet]) -> None:
        self._clock = clock
        self._kept = kept
        self._fleets = fleets

    def listed(self) -> list[Document]:
        """Every fault that is switched on."""
        return [{"id": key, **fault} for key, fault in self._kept.items()]

    def switch_on(self, fault: Document) -> Document:
        """Add a fault; raises ValueError with the mend for one that makes no sense."""
        kind = fault.get("kind")
        if fault.get("drop"):
            kind = fault["kind"] = "lost_answer"
        if kind in DATA_KINDS:
            self._check_data(fault, needed=DATA_KINDS[str(kind)])
        elif kind in XERO_KINDS and fault.get("target") != "xero":
            raise ValueError(f"{kind} is a fault of the target xero")
        elif kind in REQUEST_KINDS | XERO_KINDS:
            if fault.get("target") not in TARGETS:
                raise ValueError(f"no target {fault.get('target')!r}: use one of {', '.join(sorted(TARGETS))}")
            if fault.get("day"):
                date.fromisoformat(fault["day"])
                if fault["target"] not in SHAPES:
                    raise ValueError(f"{fault['target']} has no site days: leave out 'day'")
        else:
            raise ValueError(
                f"no fault {kind!r}: use one of {', '.join(sorted(REQUEST_KINDS | XERO_KINDS | set(DATA_KINDS)))}"
            )
        key = uuid.uuid4().hex[:12]
        self._kept.put(key, fault)
        return {"id": key, **fault}

    def switch_off(self, key: str | None = None) -> int:
        """Remove one fault, or all of them; returns how many."""
        keys = [each for each in self._kept if key in (None, each)]
        for each in keys:
            self._kept.remove(each)
        return len(keys)

    def meet(
        self,
        *,
        target: str,
        span: Span | None = None,
        method: str = "GET",
        path: str = "",
        kinds: Names[str] = REQUEST_KINDS | {"empty_list"},
    ) -> Document | None:
        """The fault of these kinds that a request runs into, if any; one with a count is used up by it."""
        for key, fault in list(self._kept.items()):
            if fault["kind"] in kinds and fault["target"] == target and self._fits(fault, span, method, path):
                count = fault.get("count")
                if count is not None and count <= 1:
                    self._kept.remove(key)
                elif count is not None:
                    self._kept.put(key, {**fault, "count": count - 1})
                return fault
        return None

    def pieces(self, site: str) -> dict[str, list[Piece]]:
        """The scaled machine-days of a site, by machine."""
        result: dict[str, list[Piece]] = {}
        for fault in self._data("correction", site):
            start, end = SHAPES[site].day(date.fromisoformat(fault["day"]))
            piece = Piece(start_ms=start, end_ms=end, factor=float(fault["factor"]))
            result.setdefault(fault["machine"], []).append(piece)
        return result

    def resets(self, site: str) -> dict[str, list[int]]:
        """When counters of a site were reset, by machine."""
        result: dict[str, list[int]] = {}
        for fault in self._data("counter_reset", site):
            result.setdefault(fault["machine"], []).append(round(instant(fault["at"]) * 1000))
        return result

    def hidden(self, site: str) -> list[Hidden]:
        """What a site does not show at present."""
        fleet = self._fleets[site]
        holes = []
        for fault in self._data("gap", site):
            start, end = (round(instant(fault[name]) * 1000) for name in ("start", "end"))
            holes.append(Hidden(rows=[fleet.rows[fault["machine"]]], start_ms=start, end_ms=end))
        for fault in self._data("late", site):
            if self._clock.now() < instant(fault["until"]):
                start, end = SHAPES[site].day(date.fromisoformat(fault["day"]))
                holes.append(Hidden(rows=None, start_ms=start, end_ms=end))
        return holes

    def _data(self, kind: str, site: str) -> list[Document]:
        return [f for f in self._kept.values() if f["kind"] == kind and self._site(f) == site]

    def _site(self, fault: Document) -> str:
        if "machine" not in fault:
            return str(fault["site"])
        return next((name for name, fleet in self._fleets.items() if fault["machine"] in fleet.rows), "")

    def _check_data(self, fault: Document, *, needed: tuple[str, ...]) -> None:
        missing = [name for name in needed if fault.get(name) in (None, "")]
        if missing:
            raise ValueError(f"{fault['kind']} needs {', '.join(missing)}")
        if self._site(fault) not in self._fleets:
            raise ValueError(f"no such machine or site: {fault.get('machine', fault.get('site'))}")
        for name in set(needed) & {"at", "start", "end", "until"}:
            instant(fault[name])
        if "day" in needed:
            date.fromisoformat(fault["day"])
        if "factor" in needed and not 0 <= float(fault["factor"]) <= 2:
            raise ValueError("factor must lie between 0 and 2")

    def _fits(self, fault: Document, span: Span | None, method: str, path: str) -> bool:
        if fault["kind"] == "lost_answer" and method == "GET":
            return False
        if fault.get("path") and fault["path"] not in path:
            return False
        if fault.get("method") and fault["method"] != method:
            return False
        if not fault.get("day"):
            return True
        if span is None:
            return False
        # A single instant is a day's end, so it counts to the day that has just ended.
        middle = (span[0] + span[1]) // 2 - (1000 if span[0] == span[1] else 0)
        return SHAPES[fault["target"]].local_day(middle).isoformat() == str(fault["day"])
