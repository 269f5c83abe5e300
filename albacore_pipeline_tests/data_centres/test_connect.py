from __future__ import annotations

import pytest

from albacore_pipeline.data_centres.connect import energy_source, power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.influxdb import InfluxSource
from albacore_pipeline.data_centres.interface import PowerFailure
from albacore_pipeline.data_centres.ironic import IronicPower
from albacore_pipeline.data_centres.prometheus import PrometheusSource
from albacore_pipeline.data_centres.redfish import RedfishPower
from albacore_pipeline.data_centres.ticket import TicketPower
from albacore_pipeline.data_centres.victoriametrics import VictoriaMetricsSource
from albacore_pipeline.data_centres.zabbix import ZabbixSource
from albacore_pipeline.data_centres.zabbix_power import ZabbixScriptPower
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.data_centres.wire import FixedClock

HERE = Endpoint(url="https://site.test", username="u", password="p")


@pytest.mark.parametrize(
    ("site", "source", "control"),
    [
        ("norway", PrometheusSource, RedfishPower),
        ("finland", ZabbixSource, ZabbixScriptPower),
        ("ethiopia", InfluxSource, TicketPower),
        ("indonesia", VictoriaMetricsSource, IronicPower),
    ],
)
def test_every_site_is_spoken_to_in_its_own_way(site: str, source: type, control: type) -> None:
    assert isinstance(energy_source(site=SITES[site], endpoint=HERE, clock=FixedClock()), source)
    assert isinstance(power_control(site=SITES[site], endpoint=HERE), control)


def test_only_a_site_of_tickets_needs_no_address() -> None:
    assert not power_control(site=SITES["ethiopia"], endpoint=None).can_pause
    with pytest.raises(PowerFailure, match="set NORWAY_CONTROL_URL"):
        power_control(site=SITES["norway"], endpoint=None)


@pytest.mark.parametrize("act", ["power_off", "power_on", "power_state"])
def test_a_ticket_site_sends_people_to_people(act: str) -> None:
    control = power_control(site=SITES["ethiopia"], endpoint=None)
    with pytest.raises(PowerFailure, match=r"ethiopia: power .* of ET-0001: .* confirm_power_state"):
        getattr(control, act)("ET-0001")
