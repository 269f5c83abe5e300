"""What the gates of a wave ask about, read at the moment of its commands: Xero, the switches, the caps, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa

from albacore_pipeline.escalation.debtors import Debtor, load
from albacore_pipeline.escalation.run import AGREED
from albacore_pipeline.invoicing.payments import Sweep, live_read
from albacore_pipeline.machine_power import queries
from albacore_pipeline.machine_power.controls import Controls
from albacore_pipeline.machine_power.gates import LIVE, Caps, PauseFacts, World
from albacore_pipeline.machine_power.plan import complete
from albacore_pipeline.machine_power.queries import Pause
from albacore_pipeline.periods import Clock
from albacore_pipeline.registry.stages import Does, Need
from albacore_pipeline.xero.interface import Organisation, XeroError


def host_time() -> datetime:
    """The host's own time."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Witness:
    """Asks Xero, and remembers its word for as long as it is live."""

    engine: sa.Engine
    xero: Organisation
    clock: Clock
    signed_off: bool  # whether countries must be signed off: in every world that is not played
    host_time: Callable[[], datetime] = host_time
    _sweep: Sweep | None = field(default=None, init=False)
    _silence: str = field(default="", init=False)

    def ask(self, numbers: Sequence[str]) -> None:
        """Make sure of a live word on these documents: one call, and none while the last word holds them."""
        last = self._sweep
        if last and set(numbers) <= last.read | set(last.missing) and self.clock.now() - last.asked_at <= LIVE / 2:
            return
        self._sweep, self._silence = None, ""
        try:
            self._sweep = live_read(engine=self.engine, xero=self.xero, clock=self.clock, numbers=numbers)
        except XeroError as error:
            self._silence = str(error)

    def world(self, connection: sa.Connection) -> World:
        """Everything that the gates ask about besides the machine itself."""
        now, sweep = self.clock.now(), self._sweep
        signed = frozenset(queries.signed_countries(connection, now=now)) if self.signed_off else None
        return World(
            now=now,
            kill_switch=queries.kill_switch(connection),
            stopped_sites={row.site: row.reason for row in queries.site_stops(connection)},
            asked_at=sweep.asked_at if sweep else None,
            read=sweep.read if sweep else frozenset(),
            silence=self._silence,
            clocks=self._clocks(connection, sweep),
            signed=signed,
            fleet={row.site: row.machines for row in queries.fleet(connection)},
        )

    def _clocks(self, connection: sa.Connection, sweep: Sweep | None) -> str:
        """Why time is not agreed. The Clock was asked beside Xero, the host beside the database."""
        if sweep is None or sweep.xero_date is None:
            return "Xero's answer bears no time"
        if abs(sweep.xero_date - sweep.asked_at) > AGREED:
            return f"the clock says {sweep.asked_at:%Y-%m-%d %H:%M}, Xero's {sweep.xero_date:%Y-%m-%d %H:%M}"
        host, database = self.host_time(), queries.database_time(connection)
        if abs(host - database) > AGREED:
            return f"this host says {host:%Y-%m-%d %H:%M}, the database's {database:%Y-%m-%d %H:%M}"
        return ""


def pause_facts(
    connection: sa.Connection, pauses: Sequence[Pause], *, controls: Controls, now: datetime
) -> dict[int, PauseFacts]:
    """The facts of these pauses by their effects, as the database has them now."""
    debtors = {
        debtor.row.customer: debtor
        for debtor in load(connection, now=now, customers=sorted({pause.customer for pause in pauses}))
    }
    ready = {customer: complete(debtor, now=now) for customer, debtor in debtors.items()}
    return {
        pause.effect_id: _facts(pause, debtors.get(pause.customer), ready.get(pause.customer, {}), controls)
        for pause in pauses
    }


def _facts(pause: Pause, debtor: Debtor | None, ready: Mapping[str, str], controls: Controls) -> PauseFacts:
    numbers = frozenset(number for number in pause.numbers if ready.get(number) == "")
    lacking = [ready.get(number, "nothing is owed any more") for number in pause.numbers]
    policy = debtor.policy if debtor else None
    rule = policy.rule(Does.PAUSE) if policy else None
    return PauseFacts(
        customer=pause.customer,
        country=pause.country,
        site=controls.sites[pause.site],
        machine=pause.machine,
        still_theirs=pause.still_theirs,
        numbers=numbers if rule else frozenset(),
        why_none=pause.fell or next((why for why in lacking if why), "nothing stands behind it"),
        for_good=not pause.numbers or debtor is None,
        owed=sum((debtor.documents[number].owed for number in numbers), Decimal(0)) if debtor else Decimal(0),
        minimum=policy.minimum(debtor.row.currency, rule) if policy and debtor else Decimal(0),
        caps=Caps(
            machines_per_site=policy.machines_per_site_and_day if policy else 0,
            share_of_site=policy.share_of_site_and_day if policy else Decimal(0),
            customers=policy.customers_per_day if policy else 0,
        ),
        approvals=pause.approvals,
        needs_approval=bool(rule and Need.APPROVAL in rule.needs),
    )
