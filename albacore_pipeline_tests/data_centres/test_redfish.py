from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline_tests.data_centres.wire import Wire, reply

SYSTEMS = "/base/redfish/v1/Systems"


def system(name: str, state: str | None = "On", *, key: str = "u1", prefix: str = "") -> dict[str, Any]:
    target = f"{prefix}/redfish/v1/Systems/{key}/Actions/ComputerSystem.Reset"
    return {"Name": name, "PowerState": state, "Actions": {"#ComputerSystem.Reset": {"target": target}}}


def service(answers: dict[str, httpx.Response | dict[str, Any]]) -> Wire:
    """Answers by method and path; everything else is 404."""

    def handler(request: httpx.Request) -> httpx.Response:
        found = answers.get(f"{request.method} {request.url.raw_path.decode()}", reply(b"{}", status=404))
        return found if isinstance(found, httpx.Response) else reply(found)

    return Wire(handler)


@pytest.mark.parametrize("prefix", ["", "/base"])
@pytest.mark.parametrize("location", ["/redfish/v1/Systems/u1", "http://site.test/redfish/v1/Systems/u1"])
def test_a_name_redirects_to_the_system_and_the_reset_goes_to_its_target(prefix: str, location: str) -> None:
    wire = service(
        {
            f"GET {SYSTEMS}/NO-0001": reply(status=307, headers={"location": location}),
            f"GET {SYSTEMS}/u1": system("NO-0001", prefix=prefix),
            f"POST {SYSTEMS}/u1/Actions/ComputerSystem.Reset": reply(status=204),
        }
    )
    control = wire.control("norway")
    assert control.can_pause
    control.power_off("NO-0001")
    control.power_on("NO-0001")
    posts = [request for request in wire.requests if request.method == "POST"]
    assert [json.loads(request.content) for request in posts] == [{"ResetType": "ForceOff"}, {"ResetType": "On"}]
    assert all(request.url.path == f"{SYSTEMS}/u1/Actions/ComputerSystem.Reset" for request in posts)


def test_without_a_look_up_by_name_the_list_is_walked() -> None:
    second = f"{SYSTEMS}?$skip=1"
    wire = service(
        {
            f"GET {SYSTEMS}": {
                "Members": [{"@odata.id": "/redfish/v1/Systems/u1"}],
                "Members@odata.nextLink": "/redfish/v1/Systems?$skip=1",
            },
            f"GET {second}": {"Members": [{"@odata.id": "/redfish/v1/Systems/u2"}]},
            f"GET {SYSTEMS}/u1": system("NO-0001"),
            f"GET {SYSTEMS}/u2": system("NO-0002", "Off"),
        }
    )
    control = wire.control("norway")
    assert control.power_state("NO-0002") is PowerState.OFF
    asked = len(wire.requests)
    assert control.power_state("NO-0002") is PowerState.OFF
    assert len(wire.requests) == asked + 1  # the way is remembered
    with pytest.raises(PowerFailure, match="no system bears this name"):
        control.power_state("NO-0003")


def test_a_system_that_changed_its_name_is_not_touched() -> None:
    answers: dict[str, httpx.Response | dict[str, Any]] = {f"GET {SYSTEMS}/NO-0001": system("NO-0001")}
    wire = service(answers)
    control = wire.control("norway")
    assert control.power_state("NO-0001") is PowerState.ON
    answers[f"GET {SYSTEMS}/NO-0001"] = system("NO-0007")
    with pytest.raises(PowerFailure, match="no system bears this name"):
        control.power_off("NO-0001")
    assert all(request.method == "GET" for request in wire.requests)


@pytest.mark.parametrize("state", ["PoweringOff", "PoweringOn", "Paused", None])
def test_a_state_that_is_neither_on_nor_off_is_unknown(state: str | None) -> None:
    with pytest.raises(PowerFailure, match=f"PowerState is {state}"):
        service({f"GET {SYSTEMS}/NO-0001": system("NO-0001", state)}).control("norway").power_state("NO-0001")


def test_a_list_that_never_ends_is_an_error() -> None:
    loop = {"Members": [], "Members@odata.nextLink": "/redfish/v1/Systems"}
    with pytest.raises(PowerFailure, match="never ends"):
        service({f"GET {SYSTEMS}": loop}).control("norway").power_state("NO-0001")
    pages = iter(range(10_000))

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path != SYSTEMS:
            return reply(b"{}", status=404)
        return reply({"Members": [], "Members@odata.nextLink": f"/redfish/v1/Systems?page={next(pages)}"})

    wire = Wire(handler)
    with pytest.raises(PowerFailure, match="never ends"):
        wire.control("norway").power_state("NO-0001")
    assert len(wire.requests) < 1100


@pytest.mark.parametrize("where", ["location", "target", "member"])
def test_no_link_leads_to_another_host(where: str) -> None:
    away = "http://elsewhere.test/redfish/v1/Systems/u1"
    stranger = system("NO-0001") | {"Actions": {"#ComputerSystem.Reset": {"target": away}}}
    answers: dict[str, dict[str, httpx.Response | dict[str, Any]]] = {
        "location": {f"GET {SYSTEMS}/NO-0001": reply(status=307, headers={"location": away})},
        "target": {f"GET {SYSTEMS}/NO-0001": stranger},
        "member": {f"GET {SYSTEMS}": {"Members": [{"@odata.id": away}]}},
    }
    wire = service(answers[where])
    with pytest.raises(PowerFailure, match="leads to another host"):
        wire.control("norway").power_off("NO-0001")
    assert {request.url.host for request in wire.requests} == {"site.test"}


@pytest.mark.parametrize("answer", [reply(status=501), reply(status=400), httpx.ReadTimeout("slow")])
def test_a_reset_that_fails_is_not_repeated(answer: httpx.Response | Exception) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return reply(system("NO-0001"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    wire = Wire(handler)
    with pytest.raises(PowerFailure, match="ForceOff of NO-0001"):
        wire.control("norway").power_off("NO-0001")
    assert [request.method for request in wire.requests].count("POST") == 1


def test_a_system_without_reset_says_so() -> None:
    with pytest.raises(PowerFailure, match=r"offers no ComputerSystem\.Reset"):
        service({f"GET {SYSTEMS}/NO-0001": {"Name": "NO-0001"}}).control("norway").power_off("NO-0001")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"Name": 7}', b"[]"])
def test_an_answer_that_is_no_system_is_a_failure(body: bytes) -> None:
    with pytest.raises(PowerFailure):
        service({f"GET {SYSTEMS}/NO-0001": reply(body)}).control("norway").power_state("NO-0001")


def test_a_link_that_is_no_address_is_an_error() -> None:
    wire = service({f"GET {SYSTEMS}": {"Members": [{"@odata.id": "/redfish/v1/\x01"}]}})
    with pytest.raises(PowerFailure, match="is no address"):
        wire.control("norway").power_state("NO-0001")


def test_a_name_can_not_leave_its_place_in_the_path() -> None:
    wire = service({})
    with pytest.raises(PowerFailure):
        wire.control("norway").power_state("../x?y")
    assert wire.requests[0].url.raw_path == f"{SYSTEMS}/..%2Fx%3Fy".encode()
