"""The units in which sites declare their numbers, as a white list.

Belongs here: the factor from a declared unit to Wh or W. An unknown unit is never guessed.
Does not belong here: where a site declares it; each interface's own module knows that.
"""

from __future__ import annotations

from albacore_pipeline.data_centres.http import SiteHttp

ENERGY = {"wh": 1.0, "kwh": 1_000.0, "mwh": 1_000_000.0, "joules": 1 / 3_600}
POWER = {"w": 1.0, "watts": 1.0, "kw": 1_000.0, "kilowatts": 1_000.0}


def of_metric(*, metric: str, http: SiteHttp) -> float:
    """Factor to Wh of a metric whose name ends in its unit, `_total` left aside (prometheus.io/docs/practices/naming).

    Raises the client's failure for a unit that is not in the white list.
    """
    unit = metric.removesuffix("_total").rpartition("_")[2].lower()
    if unit not in ENERGY:
        cause = f"the name of metric {metric} declares no known unit of energy"
        raise http.failure(what="readings", cause=cause, mend=f"name a metric that ends in one of {', '.join(ENERGY)}")
    return ENERGY[unit]


def of_field(*, field: str, http: SiteHttp) -> float:
    """Factor to W of a field that is named after its unit. Raises the client's failure for an unknown unit."""
    unit = field.rpartition("_")[2].lower()
    if unit not in POWER:
        cause = f"the name of field {field} declares no known unit of power"
        raise http.failure(what="readings", cause=cause, mend=f"name a field that ends in one of {', '.join(POWER)}")
    return POWER[unit]
