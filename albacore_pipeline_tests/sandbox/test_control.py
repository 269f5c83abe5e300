"""Machines go off and on through each site's control, and what they draw follows.

Belongs here: the control interfaces and their effect on truth and readings.
Does not belong here: energy interfaces at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from albacore_pipeline_tests.sandbox.conftest import CONTROL, ENERGY, Outside
from albacore_pipeline_tests.sandbox.test_energy import rpc

SETTLED = 2.5  # sandbox seconds


@pytest.fixture(scope="module")
def world(make_world: Callable[[], Outside]) -> Outside:
    """One world: each test has machines of its own."""
    return make_world()


def test_redfish(world: Outside) -> None:
    assert world.http.get("/norway-control/redfish/v1/").json()["Systems"]["@odata.id"].endswith("/redfish/v1/Systems")
    assert world.http.get("/norway-control/redfish/v1/Systems").status_code == 401
    members = world.http.get("/norway-control/redfish/v1/Systems", auth=CONTROL).json()["Members"]
    path = members[6]["@odata.id"]
    system = world.http.get(path, auth=CONTROL).json()
    assert (len(members), system["Name"], system["PowerState"]) == (50, "NO-0007", "On")
    target = system["Actions"]["#ComputerSystem.Reset"]["target"]
    assert world.http.post(target, json={"ResetType": "Explode"}, auth=CONTROL).status_code == 400
    assert world.http.post(target, json={"ResetType": "ForceOff"}, auth=CONTROL).status_code == 204
    world.move_on(seconds=SETTLED)
    assert world.http.get(path, auth=CONTROL).json()["PowerState"] == "Off"
    assert world.http.get("/sandbox/power").json()["NO-0007"] == "Off"
    world.http.post(target, json={"ResetType": "On"}, auth=CONTROL)
    world.move_on(seconds=SETTLED)
    assert world.http.get(path, auth=CONTROL).json()["PowerState"] == "On"


def test_a_machine_that_is_off_draws_nothing_and_keeps_its_counter(world: Outside) -> None:
    world.move_to("2025-10-03T06:00:00Z")
    path = world.http.get("/norway-control/redfish/v1/Systems", auth=CONTROL).json()["Members"][0]["@odata.id"]
    world.http.post(f"{path}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"}, auth=CONTROL)
    world.move_to("2025-10-03T12:00:00Z")
    truth = world.truth("norway", "2025-10-03T04:00:00Z", "2025-10-03T12:00:00Z")["NO-0001"]
    assert truth[:2] == pytest.approx([2500] * 2, rel=0.99) and min(truth[:2]) > 1000
    assert truth[3:] == [0] * 5
    end = datetime.fromisoformat("2025-10-03T12:00:00+00:00").timestamp()
    params: dict[str, Any] = {"query": 'pdu_outlet_energy_wh_total{machine="NO-0001"}[5h]', "time": end}
    series = world.http.get("/norway/api/v1/query", params=params, auth=ENERGY).json()["data"]["result"][0]
    assert len({text for _, text in series["values"]}) == 1
    assert len(series["values"]) == 60


def test_zabbix_scripts_need_a_session(world: Outside) -> None:
    login = {"username": "control", "password": "demo-control"}
    assert "Incorrect" in rpc(world, "user.login", {**login, "password": "no"}, auth=None)["error"]["data"]
    session = rpc(world, "user.login", login, auth=None)["result"]
    scripts = {each["name"]: each["scriptid"] for each in rpc(world, "script.get", {}, auth=session)["result"]}
    host = rpc(world, "host.get", {"filter": {"host": "FI-0005"}})["result"][0]["hostid"]
    call = {"jsonrpc": "2.0", "method": "script.execute", "id": 1, "auth": "demo-finland-token"}
    call["params"] = {"scriptid": scripts["Power off"], "hostid": host}
    assert world.http.post("/finland/api_jsonrpc.php", json=call).status_code == 500
    assert rpc(world, "script.execute", call["params"], auth=session)["result"]["response"] == "success"
    world.move_on(seconds=SETTLED)
    status = {"scriptid": scripts["Power status"], "hostid": host}
    assert rpc(world, "script.execute", status, auth=session)["result"]["value"] == "Off"
    assert rpc(world, "user.logout", [], auth=session)["result"] is True
    assert "re-login" in rpc(world, "script.get", {}, auth=session)["error"]["data"]


def test_ironic(world: Outside) -> None:
    page = world.http.get(
        "/indonesia-control/v1/nodes", params={"limit": 20, "fields": "uuid,name"}, auth=CONTROL
    ).json()
    names = [node["name"] for node in page["nodes"]]
    while "next" in page:
        assert page["next"].startswith(world.running.url + "/indonesia-control/v1/nodes")
        page = world.http.get(page["next"], auth=CONTROL).json()
        names += [node["name"] for node in page["nodes"]]
    assert names == [f"ID-{n:04d}" for n in range(1, 51)]
    power, states = (f"/indonesia-control/v1/nodes/ID-0002/states{end}" for end in ("/power", ""))
    assert world.http.put(power, json={"target": "explode"}, auth=CONTROL).status_code == 400
    assert world.http.put(power, json={"target": "power off"}).status_code == 401
    first = world.http.put(power, json={"target": "power off"}, auth=CONTROL)
    assert (first.status_code, first.content) == (202, b"")
    second = world.http.put(power, json={"target": "power on"}, auth=CONTROL)
    assert second.status_code == 409 and '"faultstring"' in second.json()["error_message"]
    assert world.http.get(states, auth=CONTROL).json()["target_power_state"] == "power off"
    world.move_on(seconds=SETTLED)
    found = world.http.get(states, auth=CONTROL).json()
    assert (found["power_state"], found["target_power_state"]) == ("power off", None)
    assert world.http.get("/indonesia-control/v1/nodes/ID-9999", auth=CONTROL).status_code == 404
