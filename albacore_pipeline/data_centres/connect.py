"""From a site's entry in `sites.py` to the objects that read and switch its machines.

Belongs here: which class speaks which interface. Nothing touches the network before it is asked something.
Does not belong here: anything about a wire format.
"""

from __future__ import annotations

from typing import assert_never

from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.http import HttpOptions, SiteHttp
from albacore_pipeline.data_centres.influxdb import InfluxSource
from albacore_pipeline.data_centres.interface import EnergySource, FailedRead, PowerControl, PowerFailure
from albacore_pipeline.data_centres.ironic import IronicPower
from albacore_pipeline.data_centres.prometheus import PrometheusSource
from albacore_pipeline.data_centres.redfish import RedfishPower
from albacore_pipeline.data_centres.ticket import TicketPower
from albacore_pipeline.data_centres.victoriametrics import VictoriaMetricsSource
from albacore_pipeline.data_centres.zabbix import ZabbixSource
from albacore_pipeline.data_centres.zabbix_power import ZabbixScriptPower
from albacore_pipeline.data_centres.zabbix_rpc import TokenCalls, ZabbixRpc
from albacore_pipeline.periods import Clock
from albacore_pipeline.sites import (
    InfluxGauge,
    IronicControl,
    PrometheusCounter,
    RedfishControl,
    Site,
    TicketControl,
    VictoriaIntervals,
    ZabbixGauge,
    ZabbixScriptControl,
)

_PATIENT = HttpOptions()


def energy_source(*, site: Site, endpoint: Endpoint, clock: Clock, options: HttpOptions = _PATIENT) -> EnergySource:
    """What reads the site's machines and samples; its errors are FailedRead."""
    interface, batch = site.energy, site.batch_machines
    http = SiteHttp(
        site=site.name,
        prefix=site.name.upper(),
        endpoint=endpoint,
        failure=FailedRead,
        options=options,
        basic_auth=not isinstance(interface, ZabbixGauge),
    )
    match interface:
        case PrometheusCounter():
            return PrometheusSource(interface=interface, batch=batch, http=http, clock=clock)
        case VictoriaIntervals():
            return VictoriaMetricsSource(interface=interface, batch=batch, http=http, clock=clock)
        case InfluxGauge():
            return InfluxSource(interface=interface, batch=batch, http=http, clock=clock)
        case ZabbixGauge():
            calls = TokenCalls(rpc=ZabbixRpc(http=http), token=endpoint.password)
            return ZabbixSource(interface=interface, batch=batch, step=site.step, calls=calls, clock=clock)
    assert_never(interface)


def power_control(*, site: Site, endpoint: Endpoint | None, options: HttpOptions = _PATIENT) -> PowerControl:
    """What switches the site's machines; its errors are PowerFailure. Only a site of tickets needs no endpoint."""
    control = site.control
    if isinstance(control, TicketControl):
        return TicketPower(site=site.name, mailbox=control.mailbox)
    if endpoint is None:
        prefix = f"{site.name.upper()}_CONTROL"
        raise PowerFailure(f"{site.name}: power control: no address is known; set {prefix}_URL and its credentials")
    http = SiteHttp(
        site=site.name,
        prefix=f"{site.name.upper()}_CONTROL",
        endpoint=endpoint,
        failure=PowerFailure,
        options=options,
        basic_auth=not isinstance(control, ZabbixScriptControl),
    )
    match control:
        case RedfishControl():
            return RedfishPower(http=http)
        case IronicControl():
            return IronicPower(http=http)
        case ZabbixScriptControl():
            return ZabbixScriptPower(interface=control, endpoint=endpoint, rpc=ZabbixRpc(http=http))
    assert_never(control)
