"""Machines as their sites describe them, from labels or tags.

Belongs here: choosing the latest description, and reading a rating.
Does not belong here: how the descriptions are fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from albacore_pipeline.data_centres.decode import parse_number
from albacore_pipeline.data_centres.http import SiteHttp
from albacore_pipeline.data_centres.interface import Machine, NoMachines

MAX_RATED_WATTS = 1_000_000  # more than any machine draws; beyond it a rating is a slip of the pen


def latest_descriptions(
    *, described: Iterable[tuple[float, Mapping[str, str]]], label: str, also: Iterable[str], http: SiteHttp
) -> list[Machine]:
    """One machine a name, by name: as its latest description (stamp, labels) says, or bare for names in `also`.

    Raises NoMachines.
    """
    latest: dict[str, tuple[float, list[tuple[str, str]]]] = {}
    for stamp, labels in described:
        rank = (stamp, sorted(labels.items()))  # the labels decide between equal stamps, so that order does not
        name = labels.get(label, "")
        if name and (name not in latest or rank > latest[name]):
            latest[name] = rank
    machines = {name: machine(name=name, labels=dict(pairs)) for name, (_, pairs) in latest.items()}
    for name in also:
        if name and name not in machines:
            machines[name] = Machine(name=name)
    return listed(machines=machines.values(), http=http)


def listed(*, machines: Iterable[Machine], http: SiteHttp) -> list[Machine]:
    """The machines by name. Raises NoMachines."""
    found = sorted(machines, key=lambda machine: machine.name)
    if not found:
        mend = "see whether the names in sites.py are the site's own"
        raise NoMachines(str(http.failure(what="the machines", cause="the site lists none", mend=mend)))
    return found


def machine(*, name: str, labels: Mapping[str, str]) -> Machine:
    """A machine from labels `serial`, `model` and `rated_watts`; what is absent or absurd is None."""
    return Machine(
        name=name,
        serial=labels.get("serial") or None,
        model=labels.get("model") or None,
        rated_watts=_watts(labels.get("rated_watts", "")),
    )


def _watts(text: str) -> int | None:
    number = parse_number(text)
    return round(number) if number is not None and 1 <= number <= MAX_RATED_WATTS else None
