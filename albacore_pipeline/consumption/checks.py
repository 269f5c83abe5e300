"""What a data engineer reads of an inventory and of a day: metadata, warnings and the verdicts of the checks.

Belongs here: words and tables. Does not belong here: assets (`assets.py`), and what is stored.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from albacore_pipeline import markdown
from albacore_pipeline.consumption.collect import Collected
from albacore_pipeline.consumption.inventory import LISTED, Inventory
from albacore_pipeline.data_centres.http import flat

BARS = "▁▂▃▄▅▆▇█"
WORST, SOME = 5, 20  # how many lines a table has, and how many names a list


def metadata(collected: Collected) -> dict[str, Any]:
    """What a person wants to know of a day at a glance."""
    energy, stored = collected.energy, collected.stored
    hours = energy.hourly_wh.shape[1]
    known = energy.hours_measured + energy.hours_estimated
    worst = sorted(zip(known.tolist(), energy.machines, energy.day_quality(), energy.flags, strict=True))[:WORST]
    unassigned = collected.unaccounted.unassigned.items()
    return {
        "kWh": float(energy.wh.sum()) / 1000,
        "machines": len(energy.machines),
        "dagster/row_count": len(energy.machines),
        "hours in the day": hours,
        "coverage": float(known.sum()) / (hours * max(len(energy.machines), 1)),
        "readings": energy.readings,
        "refused readings": len(energy.refused),
        "revision": stored.revision,
        "state": stored.state + (f": {stored.reason}" if stored.reason else ""),
        "new content": stored.new,
        "by hour": _by_hour(energy.hourly_wh.sum(axis=0).tolist()),
        "worst machines": _table(
            ("machine", "hours", "quality", "flags"),
            ((name, f"{count} of {hours}", quality, ", ".join(flags)) for count, name, quality, flags in worst),
        ),
        "assigned, but unknown to the site": _some(collected.unaccounted.unknown),
        "drawing power, but assigned to nobody": _some(f"{name}: {wh / 1000:.3f} kWh" for name, wh in unassigned),
    }


def checks(collected: Sequence[Collected]) -> list[dg.AssetCheckResult]:
    """The verdicts over the days of a run; they warn, and billing judges by itself."""
    missing = {str(day.day): int((day.energy.quality == 3).sum()) for day in collected}
    incomplete = {day: hours for day, hours in missing.items() if hours}
    refused = sum(len(day.energy.refused) for day in collected)
    waiting = [f"{day.day}: {day.stored.reason}" for day in collected if day.stored.state == "waiting"]
    drawn = {
        f"{day.day} {each.machine}": f"{each.wh / 1000:.3f} kWh" for day in collected for each in day.drawn_while_off
    }
    return [
        dg.AssetCheckResult(
            check_name="complete",
            passed=not incomplete,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"missing hours by day": incomplete},
        ),
        dg.AssetCheckResult(
            check_name="plausible",
            passed=not refused and not waiting,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"refused readings": refused, "waiting for accept_revision": waiting},
        ),
        dg.AssetCheckResult(
            check_name="obedient",
            passed=not drawn,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"drew power while read to be off": drawn},
        ),
    ]


def inventory_metadata(found: Inventory) -> dict[str, Any]:
    """What a person wants to know of an inventory."""
    rows = [(each.machine, each.field, each.old_value, each.new_value) for each in found.changes]
    return {
        "machines": len(found.machines),
        "unrated": _some(machine.name for machine in found.machines if machine.rated_watts is None),
        "appeared": _some(found.appeared),
        "vanished": _some(found.vanished),
        "changed": _table(("machine", "field", "before", "now"), [row for row in rows if row[1] != LISTED][:SOME]),
    }


def inventory_check(found: Inventory) -> dg.AssetCheckResult:
    """Warns of machines that appeared or vanished, and of a site that lists none."""
    return dg.AssetCheckResult(
        check_name="inventory",
        passed=bool(found.machines) and not found.appeared and not found.vanished,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"appeared": _some(found.appeared), "vanished": _some(found.vanished)},
    )


def inventory_warnings(found: Inventory) -> list[str]:
    """What stands in the run's log of an inventory: a line for each way in which it is not the one before."""
    if not found.machines:
        return ["the site lists no machine now; what it listed before is left as it is"]
    differences = {
        "appeared": found.appeared,
        "vanished": found.vanished,
        "changed": [
            f"{each.machine} {each.field} from {each.old_value} to {each.new_value}"
            for each in found.changes
            if each.field != LISTED
        ],
    }
    lines = (f"{len(names)} {what}: {', '.join(_some(names))}" for what, names in differences.items() if names)
    return [flat(line, 2_000) for line in lines]


def _by_hour(watt_hours: Sequence[int]) -> str:
    """Bars between the least and the most energetic hour, which are named: a fleet's load is nearly flat."""
    least, most = min(watt_hours), max(watt_hours)
    bars = "".join(BARS[(wh - least) * (len(BARS) - 1) // max(most - least, 1)] for wh in watt_hours)
    return f"{bars} {least / 1000:,.1f} to {most / 1000:,.1f} kWh"


def _some(names: Iterable[str]) -> list[str]:
    """The first of many names, and how many more there are."""
    known = list(names)
    return known if len(known) <= SOME else [*known[:SOME], f"and {len(known) - SOME} more"]


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(markdown.table(columns, rows))
