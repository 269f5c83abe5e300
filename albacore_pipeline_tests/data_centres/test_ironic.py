from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline_tests.data_centres.wire import Wire, reply


def node(state: str | None = "power on", target: str | None = None, name: str = "ID-0001") -> dict[str, Any]:
    return {"uuid": "u1", "name": name, "power_state": state, "target_power_state": target, "driver": "fake"}


def fault(text: str) -> dict[str, str]:
    return {"error_message": json.dumps({"faultcode": "Client", "faultstring": text, "debuginfo": None})}


def service(found: dict[str, Any] | httpx.Response, put: httpx.Response | None = None) -> Wire:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            assert put is not None
            return put
        return found if isinstance(found, httpx.Response) else reply(found)

    return Wire(handler)


def test_the_node_is_asked_for_by_name_and_commanded_by_id() -> None:
    wire = service(node(), reply(status=202))
    control = wire.control("indonesia")
    assert control.can_pause
    control.power_off("ID-0001")
    control.power_on("ID-0001")
    assert [f"{request.method} {request.url.path}" for request in wire.requests] == [
        "GET /base/v1/nodes/ID-0001",
        "PUT /base/v1/nodes/u1/states/power",
    ] * 2
    bodies = [json.loads(request.content) for request in wire.requests if request.method == "PUT"]
    assert bodies == [{"target": "power off"}, {"target": "power on"}]
    assert all("baremetal 1." in request.headers["openstack-api-version"] for request in wire.requests)


@pytest.mark.parametrize(("state", "expected"), [("power on", PowerState.ON), ("power off", PowerState.OFF)])
def test_a_settled_state_is_told(state: str, expected: PowerState) -> None:
    assert service(node(state)).control("indonesia").power_state("ID-0001") is expected


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (node(None), "power_state is None"),
        (node("error"), "power_state is error"),
        (node("power on", "power off"), "in transition to power off"),
        (node(None, "power on"), "in transition to power on"),
        (node(name="ID-0002"), "another node came"),
        (reply(fault("Node ID-0001 could not be found."), status=404), "no node of this name"),
        (reply(b"<html>"), "web page"),
        (reply(b""), "empty"),
        (reply({"nodes": []}), "another shape"),
    ],
)
def test_a_state_that_is_not_settled_is_unknown(found: dict[str, Any] | httpx.Response, cause: str) -> None:
    with pytest.raises(PowerFailure, match=cause):
        service(found).control("indonesia").power_state("ID-0001")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(fault("Node u1 is locked by host x"), status=409), "is locked: Node u1 is locked by host x"),
        (reply(b"busy", status=409), "is locked: busy"),
        (reply(fault("no such target"), status=400), "Ironic says: no such target"),
        (reply(status=503), "may have been carried out"),
        (reply(status=200), "HTTP 200"),
    ],
)
def test_a_command_that_is_not_accepted_is_a_failure_and_not_repeated(answer: httpx.Response, cause: str) -> None:
    wire = service(node(), answer)
    with pytest.raises(PowerFailure, match=cause):
        wire.control("indonesia").power_off("ID-0001")
    assert [request.method for request in wire.requests] == ["GET", "PUT"]


def test_a_name_can_not_leave_its_place_in_the_path() -> None:
    wire = service(reply(status=404))
    with pytest.raises(PowerFailure):
        wire.control("indonesia").power_state("../x?y")
    assert wire.requests[0].url.raw_path == b"/base/v1/nodes/..%2Fx%3Fy"


def test_another_node_than_asked_for_is_never_commanded() -> None:
    wire = service(node(name="ID-0002"), reply(status=202))
    with pytest.raises(PowerFailure, match="another node came"):
        wire.control("indonesia").power_off("ID-0001")
    assert [request.method for request in wire.requests] == ["GET"]
