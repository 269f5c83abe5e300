"""The energy of a site's machines on one site-local day: what collection stores.

Belongs here: the table of machines by hours, and what can be read off it.
Does not belong here: how it comes about (`energy.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.consumption.quality import Quality
from albacore_pipeline.data_centres.interface import Refused

QUALITY_LETTERS = "miex"  # by Quality


@dataclass(frozen=True, kw_only=True)
class EnergyDay:
    """M machines by H hours, in UTC order; every machine asked about has its row.

    `hourly_wh` (M, H) is int32 and 0 where `quality` (M, H), uint8 codes of `Quality`, says MISSING. `flags[i]` are
    machine i's, sorted. `readings` counts those let in with a stamp within the day, the margins left aside.
    """

    machines: list[str]
    hourly_wh: NDArray[np.int32]
    quality: NDArray[np.uint8]
    flags: list[tuple[str, ...]]
    refused: list[Refused]
    readings: int

    @property
    def wh(self) -> NDArray[np.int64]:
        """Wh of each machine, int64 (M,): the sum of its hours that are not missing."""
        return _totals(self.hourly_wh)

    @property
    def estimated_wh(self) -> NDArray[np.int64]:
        """Wh of each machine's estimated hours, int64 (M,)."""
        return _totals(np.where(self.quality == Quality.ESTIMATED, self.hourly_wh, 0))

    @property
    def hours_measured(self) -> NDArray[np.int64]:
        """Measured and interpolated hours of each machine, (M,)."""
        return _totals(self.quality <= Quality.INTERPOLATED)

    @property
    def hours_estimated(self) -> NDArray[np.int64]:
        """Estimated hours of each machine, (M,)."""
        return _totals(self.quality == Quality.ESTIMATED)

    def day_quality(self) -> list[str]:
        """`measured`, `interpolated`, `estimated`, `partial` (some hours missing) or `missing`, for each machine."""
        worst, best = self.quality.max(axis=1, initial=0), self.quality.min(axis=1, initial=Quality.MISSING)
        words = np.array([quality.name.lower() for quality in Quality])[worst]
        partial = (worst == Quality.MISSING) & (best < Quality.MISSING)
        return [str(word) for word in np.where(partial, "partial", words)]

    def quality_letters(self) -> list[str]:
        """One letter an hour for each machine: m measured, i interpolated, e estimated, x missing."""
        return ["".join(row) for row in np.array(list(QUALITY_LETTERS))[self.quality]]

    def content_hash(self) -> str:
        """sha256 in hex of what was derived: names, hours, qualities, flags. What was refused does not enter."""
        digest = hashlib.sha256()
        for name, wh, quality, flags in zip(self.machines, self.hourly_wh, self.quality, self.flags, strict=True):
            for part in (name.encode(), wh.astype("<i4").tobytes(), quality.tobytes(), ",".join(flags).encode()):
                digest.update(len(part).to_bytes(4, "little") + part)
        return digest.hexdigest()


def _totals(table: NDArray[np.generic]) -> NDArray[np.int64]:
    totals: NDArray[np.int64] = table.sum(axis=1, dtype=np.int64)
    return totals
