"""What the machines truly draw, and what their meters therefore say.

Readings are taken at the instants `k * step + phase`, with a phase of its own for each machine, so that no midnight
falls on a reading. The truth is built on these instants, so that it agrees with every interface exactly:
  counters and intervals   the power is constant between two readings; the energy up to a reading is a whole number
                           of tenths of a watt-hour, so interpolating the counter gives the truth at any instant.
                           A step in which a machine goes off or on draws its share evenly.
  gauges                   the power runs straight from one reading to the next, so the trapezoid is the truth; over
                           the step in which a full hour falls it is level, so any way of cutting there agrees.
Nothing is stored: a day's energy follows from its key, and its course is scaled to it.

Belongs here: the load, the energy, readings as they are served, and the truth by hours.
Does not belong here: why a machine is off or a reading is hidden; that comes in as `Conditions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from albacore_sandbox.fleet import Fleet, Kind, uniform

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR_MS = 3_600_000
FIRST_DAY = 19_875  # 2024-06-01 in days since the epoch, when the counters began
FOREVER_MS = 1 << 60
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Piece:
    """From `start_ms` until `end_ms` a machine draws `factor` times its load."""

    start_ms: int
    end_ms: int
    factor: float


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """Readings of some machines (None: all) in `[start_ms, end_ms)` that the site does not show."""

    rows: Sequence[int] | None
    start_ms: int
    end_ms: int


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What bears on a site's machines at present: scaled loads, counter resets (by row) and hidden readings."""

    pieces: dict[int, list[Piece]] = field(default_factory=dict)
    resets: dict[int, list[int]] = field(default_factory=dict)
    hidden: list[Hidden] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Readings in matrices of machines by instants: stamps in milliseconds, values, and which of them are served.

    Values are Wh for counters, W for gauges and kWh for intervals.
    """

    rows: Ints
    at_ms: Ints
    value: Floats
    served: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many readings are served."""
        return int(self.served.sum())

    def row(self, position: int) -> tuple[list[int], list[float]]:
        """The served stamps and values of the machine at a position."""
        mask = self.served[position]
        return self.at_ms[position][mask].tolist(), self.value[position][mask].tolist()


def readings(fleet: Fleet, *, rows: Ints, start_ms: int, end_ms: int, now_ms: int, conditions: Conditions) -> Readings:
    """What the meters of some machines say in `[start_ms, end_ms]`, as far as the present."""
    end_ms = min(end_ms, now_ms)
    first, last = (start_ms - 300_000) // fleet.step_ms, max(start_ms, end_ms) // fleet.step_ms
    k = np.arange(first, last + 1, dtype=np.int64)
    at_ms = k[None, :] * fleet.step_ms + fleet.phase_ms[rows][:, None]
    served = (at_ms >= start_ms) & (at_ms <= end_ms)
    _hide(served, at_ms=at_ms, rows=rows, hidden=conditions.hidden)
    return Readings(rows=rows, at_ms=at_ms, value=_shown(fleet, rows=rows, k=k, conditions=conditions), served=served)


def truth_by_hour(fleet: Fleet, *, start_ms: int, hours: int, conditions: Conditions) -> Floats:
    """The true energy of every machine, in Wh, of so many UTC hours from a full hour on: machines by hours."""
    rows = np.arange(len(fleet), dtype=np.int64)
    parts = [
        _truth(fleet, rows=rows[at : at + _ROWS_AT_ONCE], start_ms=start_ms, hours=hours, conditions=conditions)
        for at in range(0, len(rows), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def _truth(fleet: Fleet, *, rows: Ints, start_ms: int, hours: int, conditions: Conditions) -> Floats:
    bounds = start_ms + np.arange(hours + 1, dtype=np.int64) * HOUR_MS
    k = np.arange(bounds[0] // fleet.step_ms - 1, bounds[-1] // fleet.step_ms + 2, dtype=np.int64)
    steps, inside = np.divmod(bounds[None, :] - fleet.phase_ms[rows][:, None], fleet.step_ms)
    column, share = steps - k[0], inside / fleet.step_ms
    if fleet.shape.kind is Kind.GAUGE:
        watts = _watts(fleet, rows=rows, k=k, conditions=conditions)
        hours_a_step = fleet.shape.step / 3600
        energy = np.zeros_like(watts)
        np.cumsum((watts[:, 1:] + watts[:, :-1]) / 2 * hours_a_step, axis=1, out=energy[:, 1:])
        here, after = (np.take_along_axis(watts, column + n, axis=1) for n in (0, 1))
        partial = (here * share + (after - here) * share**2 / 2) * hours_a_step
    else:
        energy = _tenths(fleet, rows=rows, k=k, conditions=conditions) / 10
        here, after = (np.take_along_axis(energy, column + n, axis=1) for n in (0, 1))
        partial = (after - here) * share
    return np.diff(np.take_along_axis(energy, column, axis=1) + partial, axis=1)


def _shown(fleet: Fleet, *, rows: Ints, k: Ints, conditions: Conditions) -> Floats:
    if fleet.shape.kind is Kind.GAUGE:
        return _watts(fleet, rows=rows, k=k, conditions=conditions)
    if fleet.shape.kind is Kind.INTERVAL:
        before = np.concatenate([[k[0] - 1], k])
        return np.diff(_tenths(fleet, rows=rows, k=before, conditions=conditions), axis=1) / 10_000
    tenths = _tenths(fleet, rows=rows, k=k, conditions=conditions)
    for position, row in enumerate(rows.tolist()):
        for at_ms in sorted(conditions.resets.get(row, ())):
            # The reset follows right after the last reading before it, so no energy falls between the two.
            step = (at_ms - int(fleet.phase_ms[row])) // fleet.step_ms
            one = np.array([row], dtype=np.int64)
            at_reset = _tenths(fleet, rows=one, k=np.array([step]), conditions=conditions)[0, 0]
            later = k > step
            tenths[position, later] = _tenths(fleet, rows=one, k=k[later], conditions=conditions)[0] - at_reset
    return tenths / 10


def _hide(served: NDArray[np.bool_], *, at_ms: Ints, rows: Ints, hidden: Sequence[Hidden]) -> None:
    for hole in hidden:
        inside = (at_ms >= hole.start_ms) & (at_ms < hole.end_ms)
        if hole.rows is not None:
            inside &= np.isin(rows, np.asarray(hole.rows))[:, None]
        served &= ~inside


def _load(fleet: Fleet, *, rows: Ints, k: Ints) -> Floats:
    """The course of each machine's load around 1: a daily swing, slow weather by the hour and a little noise."""
    keys = fleet.keys[rows][:, None]
    hour, second = np.divmod(k * fleet.shape.step, 3600)
    hours = np.arange(hour[0], hour[-1] + 2)
    weather = uniform(keys ^ (hours.astype(np.uint64) << np.uint64(20))[None, :]) - 0.5
    column, share = hour - hours[0], second / 3600
    slow = weather[:, column] * (1 - share) + weather[:, column + 1] * share
    noise = uniform(keys + (k.astype(np.uint64) * np.uint64(0x9E3779B1))[None, :]) - 0.5
    swing = np.sin(2 * np.pi * (k[None, :] * fleet.shape.step / 86_400 + fleet.swing[rows][:, None]))
    return np.asarray(1 + 0.05 * swing + 0.08 * slow + 0.02 * noise, dtype=np.float64)


def _watts(fleet: Fleet, *, rows: Ints, k: Ints, conditions: Conditions) -> Floats:
    an_hour = 3600 // fleet.shape.step
    level = k - (k % an_hour == 0)  # the first reading of an hour repeats the last one of the hour before
    watts = (fleet.rated[rows] * fleet.level[rows])[:, None] * _load(fleet, rows=rows, k=level)
    for position, row in enumerate(rows.tolist()):
        at_ms = k * fleet.step_ms + fleet.phase_ms[row]
        for piece in conditions.pieces.get(row, ()):
            watts[position, (at_ms >= piece.start_ms) & (at_ms < piece.end_ms)] *= piece.factor
    return np.round(watts, 1)


def _tenths(fleet: Fleet, *, rows: Ints, k: Ints, conditions: Conditions) -> Floats:
    """The energy up to each reading since the beginning, in tenths of a watt-hour (whole numbers)."""
    energy = _undisturbed(fleet, rows=rows, k=k)
    for position, row in enumerate(rows.tolist()):
        if row in conditions.pieces:
            course = energy[position].copy()
            for piece in disjoint(conditions.pieces[row]):
                start, end = (_undisturbed_at(fleet, row=row, at_ms=at) for at in (piece.start_ms, piece.end_ms))
                energy[position] -= (1 - piece.factor) * (np.clip(course, start, end) - start)
            energy[position] = np.rint(energy[position])
    return energy


def _undisturbed(fleet: Fleet, *, rows: Ints, k: Ints) -> Floats:
    if not len(k):
        return np.zeros((len(rows), 0))
    steps = 86_400 // fleet.shape.step
    parts: list[Floats] = []
    for day in range(int(k[0]) // steps, int(k[-1]) // steps + 1):
        course = np.cumsum(_load(fleet, rows=rows, k=np.arange(day * steps, (day + 1) * steps)), axis=1)
        begin, end = _at_midnight(fleet, rows=rows, day=day), _at_midnight(fleet, rows=rows, day=day + 1)
        inside = begin[:, None] + np.rint((end - begin)[:, None] * course / course[:, -1:])
        parts.append(np.concatenate([begin[:, None], inside[:, :-1]], axis=1))
    return np.concatenate(parts, axis=1)[:, k - int(k[0]) // steps * steps]


def _at_midnight(fleet: Fleet, *, rows: Ints, day: int) -> Floats:
    """The energy up to the first reading of a UTC day: an even pace, put off a little by the day's key."""
    a_day = np.rint(fleet.rated[rows] * fleet.level[rows] * 240)
    shift = uniform(fleet.keys[rows] ^ (np.uint64(day) << np.uint64(40)))
    return np.asarray(a_day * (day - FIRST_DAY) + np.rint(a_day * 0.04 * shift), dtype=np.float64)


def _undisturbed_at(fleet: Fleet, *, row: int, at_ms: int) -> float:
    if at_ms >= FOREVER_MS:
        return float("inf")
    step, inside = divmod(at_ms - int(fleet.phase_ms[row]), fleet.step_ms)
    here, after = _undisturbed(fleet, rows=np.array([row]), k=np.array([step, step + 1]))[0].tolist()
    return float(here + (after - here) * inside / fleet.step_ms)


def disjoint(pieces: Sequence[Piece]) -> list[Piece]:
    """The same load in pieces that do not overlap: where they do, their factors multiply."""
    cuts = sorted({cut for piece in pieces for cut in (piece.start_ms, piece.end_ms)})
    result = []
    for start, end in pairwise(cuts):
        factors = [piece.factor for piece in pieces if piece.start_ms <= start and end <= piece.end_ms]
        if factors:
            result.append(Piece(start_ms=start, end_ms=end, factor=float(np.prod(factors))))
    return result
