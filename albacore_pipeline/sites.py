"""The data centres, as data. A fifth one with a known interface is one more entry in `SITES`.

Belongs here: what a site serves, under which names, and how it likes to be treated.
Does not belong here: how an interface is spoken (`data_centres/`) and where a site is reached (`settings.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class PrometheusCounter:
    """A cumulative watt-hour counter per outlet, read through the Prometheus HTTP API."""

    metric: str
    machine_label: str
    info_metric: str


@dataclass(frozen=True, kw_only=True)
class ZabbixGauge:
    """A float item in watts on each machine's Zabbix host, read through JSON-RPC."""

    item_key: str
    rated_watts_tag: str


@dataclass(frozen=True, kw_only=True)
class InfluxGauge:
    """A field in watts per machine, read through InfluxQL of InfluxDB 1.x."""

    database: str
    measurement: str
    machine_tag: str
    field: str


@dataclass(frozen=True, kw_only=True)
class VictoriaIntervals:
    """kWh of the interval that ends at each stamp, read through VictoriaMetrics' export."""

    metric: str
    machine_label: str


@dataclass(frozen=True, kw_only=True)
class RedfishControl:
    """Power through `ComputerSystem.Reset`; the system's `Name` is the machine."""


@dataclass(frozen=True, kw_only=True)
class ZabbixScriptControl:
    """Power through three of Zabbix's global scripts, by a login session."""

    off_script: str
    on_script: str
    status_script: str


@dataclass(frozen=True, kw_only=True)
class IronicControl:
    """Power through OpenStack Ironic's `states/power`; the node's `name` is the machine."""


@dataclass(frozen=True, kw_only=True)
class TicketControl:
    """No interface: a mail to site operations, answered by a person."""

    mailbox: str


EnergyInterface = PrometheusCounter | ZabbixGauge | InfluxGauge | VictoriaIntervals
ControlInterface = RedfishControl | ZabbixScriptControl | IronicControl | TicketControl


@dataclass(frozen=True, kw_only=True)
class PauseHours:
    """When a machine may be paused at a site: local weekdays (Monday is 0) and local hours, half-open."""

    weekdays: tuple[int, ...] = (0, 1, 2, 3)
    begin: time = time(8)
    end: time = time(14)


@dataclass(frozen=True, kw_only=True)
class Site:
    """One data centre. `name` is also the asset prefix and, in upper case, the prefix of its settings."""

    name: str
    country: str  # ISO 3166, for public holidays
    timezone: str
    energy: EnergyInterface
    control: ControlInterface
    step: timedelta  # nominal distance of samples
    max_watts: int  # the bound for a machine whose rating nobody knows
    margin: timedelta = timedelta(hours=3)  # asked for on both sides of the day
    late_days: int = 0  # how many earlier days are read again each night
    batch_machines: int = 500  # how many machines one request may ask for
    starts_on: date = date(2025, 10, 1)
    pause_hours: PauseHours = PauseHours()

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)


SITES: dict[str, Site] = {
    site.name: site
    for site in (
        Site(
            name="norway",
            country="NO",
            timezone="Europe/Oslo",
            energy=PrometheusCounter(
                metric="pdu_outlet_energy_wh_total", machine_label="machine", info_metric="machine_info"
            ),
            control=RedfishControl(),
            step=timedelta(minutes=5),
            max_watts=10_000,
        ),
        Site(
            name="finland",
            country="FI",
            timezone="Europe/Helsinki",
            energy=ZabbixGauge(item_key="power.active", rated_watts_tag="rated_watts"),
            control=ZabbixScriptControl(off_script="Power off", on_script="Power on", status_script="Power status"),
            step=timedelta(minutes=5),
            max_watts=10_000,
            batch_machines=250,
        ),
        Site(
            name="ethiopia",
            country="ET",
            timezone="Africa/Addis_Ababa",
            energy=InfluxGauge(database="site", measurement="power", machine_tag="host", field="watts"),
            control=TicketControl(mailbox="operations.ethiopia@albacore.example"),
            step=timedelta(minutes=5),
            max_watts=10_000,
            late_days=7,
        ),
        Site(
            name="indonesia",
            country="ID",
            timezone="Asia/Jakarta",
            energy=VictoriaIntervals(metric="machine_interval_energy_kwh", machine_label="machine"),
            control=IronicControl(),
            step=timedelta(minutes=15),
            max_watts=10_000,
        ),
    )
}
