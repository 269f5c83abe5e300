"""Machines switched off and on again at a real Redfish service and a real Ironic, by the sites' own controls."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from albacore_pipeline.data_centres.connect import power_control
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.interface import PowerControl, PowerFailure, PowerState
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import FrozenClock
from albacore_pipeline_tests.real.pausing import pause_and_resume
from albacore_pipeline_tests.real.power_servers import ironic, redfish
from albacore_pipeline_tests.real.servers import RealServer, eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def redfish_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    machines = [f"NO-{number:04d}" for number in range(1, 11)]
    with redfish(folder=tmp_path_factory.mktemp("redfish"), machines=machines) as server:
        yield server


@pytest.fixture(scope="module")
def ironic_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    machines = [f"ID-{number:04d}" for number in range(1, 11)]
    with ironic(folder=tmp_path_factory.mktemp("ironic"), machines=machines) as server:
        yield server


def control(site: str, server: RealServer, *, password: str = "") -> PowerControl:
    endpoint = Endpoint(url=server.url, username=server.username, password=password or server.password)
    return power_control(site=SITES[site], endpoint=endpoint)


def reads(control: PowerControl, machine: str, wanted: PowerState) -> bool:
    """Whether the state reads as wanted; while it is changing, a control may refuse to say."""
    try:
        return control.power_state(machine) is wanted
    except PowerFailure as failure:
        assert "transition" in str(failure) or "PowerState is" in str(failure), failure
        return False


def off_and_on(control: PowerControl, machine: str, neighbour: str) -> None:
    assert control.power_state(machine) is PowerState.ON
    control.power_off(machine)
    eventually(lambda: reads(control, machine, PowerState.OFF), what=f"{machine} off")
    assert control.power_state(neighbour) is PowerState.ON
    control.power_on(machine)
    eventually(lambda: reads(control, machine, PowerState.ON), what=f"{machine} on again")


def test_redfish_switches_the_machine_and_not_its_neighbour(redfish_service: RealServer) -> None:
    off_and_on(control("norway", redfish_service), "NO-0003", "NO-0004")


@pytest.mark.parametrize(
    ("site", "service", "machines", "at"),
    [
        ("norway", "redfish_service", [f"NO-{number:04d}" for number in range(1, 6)], "2025-12-08T09:00"),
        ("indonesia", "ironic_service", [f"ID-{number:04d}" for number in range(1, 6)], "2025-12-08T03:00"),
    ],
)
def test_a_debtors_machine_is_paused_verified_and_resumed(
    request: pytest.FixtureRequest,
    engine: sa.Engine,
    clock: FrozenClock,
    site: str,
    service: str,
    machines: list[str],
    at: str,
) -> None:
    switch = control(site, request.getfixturevalue(service))
    pause_and_resume(engine=engine, clock=clock, switch=switch, machines=machines, at=at)


def test_redfish_has_not_switched_yet_when_it_accepts(redfish_service: RealServer) -> None:
    """A 2xx is no proof: the emulator, like a controller, takes its time."""
    here = control("norway", redfish_service)
    here.power_off("NO-0007")
    assert here.power_state("NO-0007") is PowerState.ON
    eventually(lambda: reads(here, "NO-0007", PowerState.OFF), what="NO-0007 off")


def test_redfish_knows_no_stranger(redfish_service: RealServer) -> None:
    here = control("norway", redfish_service)
    for act in (here.power_state, here.power_off, here.power_on):
        with pytest.raises(PowerFailure, match="NO-9999: no system bears this name"):
            act("NO-9999")


def test_ironic_switches_the_machine_and_not_its_neighbour(ironic_service: RealServer) -> None:
    off_and_on(control("indonesia", ironic_service), "ID-0003", "ID-0004")


def test_ironic_says_that_a_node_is_on_its_way(ironic_service: RealServer) -> None:
    here = control("indonesia", ironic_service)
    here.power_off("ID-0007")
    with pytest.raises(PowerFailure, match="in transition to power off"):
        here.power_state("ID-0007")
    with pytest.raises(PowerFailure, match="the node is locked"):
        here.power_on("ID-0007")
    eventually(lambda: reads(here, "ID-0007", PowerState.OFF), what="ID-0007 off")


def test_ironic_knows_no_stranger(ironic_service: RealServer) -> None:
    here = control("indonesia", ironic_service)
    for act in (here.power_state, here.power_off, here.power_on):
        with pytest.raises(PowerFailure, match="ID-9999: the site has no node of this name"):
            act("ID-9999")


@pytest.mark.parametrize(
    ("site", "service", "machine"),
    [
        ("norway", "redfish_service", "NO-0001"),
        ("indonesia", "ironic_service", "ID-0001"),
    ],
)
def test_a_wrong_password_switches_nothing_and_is_not_told(
    request: pytest.FixtureRequest, site: str, service: str, machine: str
) -> None:
    server: RealServer = request.getfixturevalue(service)
    with pytest.raises(PowerFailure) as caught:
        control(site, server, password="not-the-password").power_off(machine)
    assert f"check {site.upper()}_CONTROL_USERNAME and {site.upper()}_CONTROL_PASSWORD" in str(caught.value)
    assert "not-the-password" not in str(caught.value) and "\n" not in str(caught.value)
    assert control(site, server).power_state(machine) is PowerState.ON


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("redfish_service", "/redfish/v1/Systems"),
        ("ironic_service", "/v1/nodes"),
    ],
)
def test_strangers_are_refused(request: pytest.FixtureRequest, service: str, path: str) -> None:
    server: RealServer = request.getfixturevalue(service)
    assert httpx.get(server.url + path).status_code == 401
