"""The gates before each pause: pure, from facts to open or closed, with the reason and when to ask again.

What is unknown is closed. A gate that closes for good strikes the machine from its plan; any other asks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from albacore_pipeline.periods import is_business_day
from albacore_pipeline.sites import Site

LIVE = timedelta(seconds=60)  # how old Xero's word may be at the command
APPROVALS = 2
SOON, HALF_HOUR, HOUR = timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Caps:
    """The blast radius that a policy allows in a site's day."""

    machines_per_site: int
    share_of_site: Decimal
    customers: int

    def machines_at(self, fleet: int) -> int:
        """How many machines of a site with so many."""
        return min(self.machines_per_site, int(self.share_of_site * fleet))


@dataclass(frozen=True, kw_only=True)
class PauseFacts:
    """A machine that is to be paused. `numbers` are the documents behind it: the chain of each is complete.

    `owed` is what is left on them together. `minimum`, `caps` and `needs_approval` are the policy's.
    """

    customer: str
    country: str
    site: Site
    machine: str
    still_theirs: bool
    numbers: frozenset[str]
    why_none: str  # where there is no document: why not
    for_good: bool  # whether that is so for good
    owed: Decimal
    minimum: Decimal
    caps: Caps
    approvals: int
    needs_approval: bool


@dataclass(frozen=True, kw_only=True)
class World:
    """What all gates of a wave ask about, at the moment of its commands."""

    now: datetime
    kill_switch: bool
    stopped_sites: Mapping[str, str]  # with why
    asked_at: datetime | None  # when Xero was asked, whose answer holds `read`
    read: frozenset[str]
    silence: str  # why there is no live word
    clocks: str  # why time is not agreed; empty: it is
    signed: frozenset[str] | None  # countries that are signed off; None where none need be
    fleet: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A gate is closed. `for_good`: the machine is struck; else it is asked again after `again`."""

    reason: str
    for_good: bool = False
    again: timedelta = HALF_HOUR
    unsigned: str = ""  # the country that somebody has to sign off


def closed_gate(pause: PauseFacts, world: World, commanded: Mapping[tuple[str, str], int]) -> Closed | None:
    """The first gate that is closed; None when all are open.

    `commanded` counts the machines by site and customer that were resolved to be paused in each site's day so far.
    """
    return (
        _debt(pause)
        or _forbidden(pause, world)
        or _hours(pause, world.now)
        or _word(pause, world)
        or _radius(pause, world, commanded)
    )


def _debt(pause: PauseFacts) -> Closed | None:
    if not pause.still_theirs:
        return Closed(reason="the machine is no longer the debtor's, or not rented", for_good=True)
    if not pause.numbers:
        return Closed(reason=pause.why_none, for_good=pause.for_good, again=HOUR)
    if pause.owed <= 0 or pause.owed < pause.minimum:
        return Closed(reason=f"what is left on its documents ({pause.owed:.2f}) is below the minimum", for_good=True)
    return None


def _forbidden(pause: PauseFacts, world: World) -> Closed | None:
    if world.kill_switch:
        return Closed(reason="the kill switch is on")
    if why := world.stopped_sites.get(pause.site.name):
        return Closed(reason=f"pausing at {pause.site.name} is stopped: {why}")
    for country in (pause.country, pause.site.country):
        if world.signed is not None and country not in world.signed:
            reason = f"nobody has signed off pauses for {country}: sign_off_country"
            return Closed(reason=reason, again=HOUR, unsigned=country)
    return None


def _hours(pause: PauseFacts, now: datetime) -> Closed | None:
    """The site's hours, on a business day of site and customer that is no eve of a day off of either."""
    local = now.astimezone(pause.site.zone)
    hours = pause.site.pause_hours
    if local.weekday() not in hours.weekdays or not hours.begin <= local.time() < hours.end:
        return Closed(reason="outside the site's hours for pauses")
    for country in (pause.site.country, pause.country):
        for day, word in (
            (local.date(), "no business day"),
            (local.date() + timedelta(days=1), "the eve of a day off"),
        ):
            if not is_business_day(day=day, country=country):
                return Closed(reason=f"{local:%Y-%m-%d} is {word} in {country}", again=HOUR)
    return None


def _word(pause: PauseFacts, world: World) -> Closed | None:
    """Xero's word on just these documents, not older than a minute, and time that two sources agree on."""
    if world.silence or world.asked_at is None:
        return Closed(reason=f"no live word from Xero: {world.silence}", again=SOON)
    if world.now - world.asked_at > LIVE:
        return Closed(reason="Xero's word is older than a minute", again=SOON)
    if missing := sorted(pause.numbers - world.read):
        return Closed(reason=f"Xero's answer lacks {missing[0]}")
    if world.clocks:
        return Closed(reason=world.clocks)
    return None


def _radius(pause: PauseFacts, world: World, commanded: Mapping[tuple[str, str], int]) -> Closed | None:
    if pause.approvals >= APPROVALS:
        return None
    if pause.needs_approval:
        return Closed(reason="the policy wants the plan approved by two people: approve_pause")
    at_site: Counter[str] = Counter()
    customers = {pause.customer}
    for (site, customer), machines in commanded.items():
        at_site[site] += machines
        customers.add(customer)
    if len(customers) > pause.caps.customers:
        return Closed(
            reason=f"more than {pause.caps.customers} customers would be paused today: approve_pause, or wait"
        )
    most = pause.caps.machines_at(world.fleet.get(pause.site.name, 0))
    if at_site[pause.site.name] + 1 > most:
        return Closed(reason=f"{pause.site.name} has had its {most} pauses of today: approve_pause, or wait")
    return None
