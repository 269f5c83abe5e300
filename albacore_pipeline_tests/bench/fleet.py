"""A site-day of thousands of machines, in the texts that Prometheus and VictoriaMetrics load.

Belongs here: readings every five minutes over the day and its margins, and each machine's description beside them.
Does not belong here: any arithmetic of the product; whether its results are right is the tests' matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from albacore_pipeline.periods import Window, day_window
from albacore_pipeline.sites import Site

DAY = date(2025, 10, 21)
STEP = timedelta(minutes=5)
RATED_WATTS = 4000


def asked(site: Site) -> Window:
    """What the pipeline asks for: the day and the margins around it."""
    return day_window(day=DAY, timezone=site.timezone).widened(site.margin)


def names(site: Site, count: int) -> list[str]:
    """The machines of a site."""
    return [f"{site.country}-{number:06d}" for number in range(count)]


def readings(site: Site, count: int) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float64]]]:
    """Machine, stamps in seconds, and the Wh of each five minutes; every machine is read at a second of its own."""
    window, step = asked(site), int(STEP.total_seconds())
    rng = np.random.default_rng(1)
    for number, name in enumerate(names(site, count)):
        first = int(window.start.timestamp()) - step + number % step
        at = np.arange(first, int(window.end.timestamp()) + step, step, dtype=np.int64)
        yield name, at, RATED_WATTS * rng.uniform(0.3, 0.9, len(at)) / 12


def write_openmetrics(site: Site, count: int, path: Path) -> None:
    """Counters to a tenth of a watt-hour, as a PDU shows them."""
    with path.open("w") as file:
        file.write("# TYPE pdu_outlet_energy_wh counter\n")
        for name, at, wh in readings(site, count):
            series = f'pdu_outlet_energy_wh_total{{machine="{name}"}}'
            shown = zip((1e6 + np.cumsum(wh)).tolist(), at.tolist(), strict=True)
            file.writelines(f"{series} {level:.1f} {stamp}\n" for level, stamp in shown)
        file.write("# TYPE machine info\n")
        for name, at, _ in readings(site, count):
            labels = ",".join(f'{label}="{value}"' for label, value in _description(name).items())
            file.writelines(f"machine_info{{{labels}}} 1 {stamp}\n" for stamp in at.tolist())
        file.write("# EOF\n")


def import_lines(site: Site, count: int) -> Iterator[bytes]:
    """kWh of intervals, to a tenth of a watt-hour, as VictoriaMetrics imports them."""
    for name, at, wh in readings(site, count):
        stamps = (at * 1000).tolist()
        metric = {"__name__": "machine_interval_energy_kwh", "machine": name}
        yield _line(metric, np.round(wh / 1000, 4).tolist(), stamps)
        yield _line({"__name__": "machine_info", **_description(name)}, [1] * len(stamps), stamps)


def _line(metric: dict[str, str], values: list[float], stamps: list[int]) -> bytes:
    return json.dumps({"metric": metric, "values": values, "timestamps": stamps}).encode()


def _description(name: str) -> dict[str, str]:
    return {"machine": name, "serial": f"SN{name}", "model": "rack-4000", "rated_watts": str(RATED_WATTS)}
