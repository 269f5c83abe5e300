from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import PowerFailure, PowerState
from albacore_pipeline_tests.data_centres.wire import PASSWORD, Wire, reply


@dataclass
class Frontend:
    """Global scripts behind a login. `lost` sessions are forgotten at once, `value` is what scripts say."""

    value: str = "On"
    lost: int = 0
    broken: bool = False
    refused: str = ""
    methods: list[str] = field(default_factory=list)
    ran: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        method, params, auth = call["method"], call["params"], call["auth"]
        self.methods.append(method)
        head = {"jsonrpc": "2.0", "id": call["id"]}
        if method == "user.login":
            assert auth is None
            if params != {"username": "control", "password": PASSWORD}:
                return reply(
                    head | {"error": {"code": -32500, "message": "x", "data": "Incorrect user name or password"}}
                )
            self.sessions.append(f"session-{len(self.sessions)}")
            return reply(head | {"result": self.sessions[-1]})
        if auth not in self.sessions or (method == "script.execute" and self.lost > 0):
            self.lost -= 1
            self.sessions.clear()
            data = "Session terminated, re-login, please."
            return reply(head | {"error": {"code": -32602, "message": "Invalid params.", "data": data}})
        if method == "script.execute":
            return self._run(head, params)
        wanted = params["filter"]["host"][0] if method == "host.get" else params["filter"]["name"]
        known = {"FI-0001": "10001", "Power off": "4", "Power on": "5", "Power status": "6"}
        key = known.get(wanted)
        found = [{"hostid": key, "host": wanted, "scriptid": key, "name": wanted}] if key else []
        return reply(head | {"result": found})

    def _run(self, head: dict[str, Any], params: dict[str, Any]) -> httpx.Response:
        self.ran.append(params)
        if self.broken:
            return reply(b"", status=500)
        if self.refused:
            return reply(head | {"error": {"code": -32500, "message": "Application error.", "data": self.refused}})
        return reply(head | {"result": {"response": "success", "value": self.value}})


def test_scripts_run_by_name_on_the_host_in_one_session() -> None:
    frontend = Frontend()
    control = Wire(frontend).control("finland")
    assert control.can_pause
    control.power_off("FI-0001")
    control.power_on("FI-0001")
    assert control.power_state("FI-0001") is PowerState.ON
    assert frontend.ran == [{"scriptid": key, "hostid": "10001"} for key in ("4", "5", "6")]
    assert frontend.methods.count("user.login") == 1


def test_a_lost_session_is_renewed_once_and_the_command_given_once() -> None:
    frontend = Frontend(lost=1)
    Wire(frontend).control("finland").power_off("FI-0001")
    assert len(frontend.ran) == 1
    assert frontend.methods.count("user.login") == 2


def test_a_session_that_does_not_last_is_a_failure() -> None:
    frontend = Frontend(lost=5)
    with pytest.raises(PowerFailure, match="and so was a new one"):
        Wire(frontend).control("finland").power_off("FI-0001")
    assert frontend.ran == []


@pytest.mark.parametrize(("said", "state"), [("On", PowerState.ON), (" off\n", PowerState.OFF)])
def test_the_status_script_tells_the_state(said: str, state: PowerState) -> None:
    assert Wire(Frontend(value=said)).control("finland").power_state("FI-0001") is state


@pytest.mark.parametrize("said", ["", "0", "PoweringOff", "curl: (7) failed"])
def test_anything_else_that_it_says_is_unknown(said: str) -> None:
    with pytest.raises(PowerFailure, match="instead of On or Off"):
        Wire(Frontend(value=said)).control("finland").power_state("FI-0001")


def test_a_command_without_an_answer_is_not_repeated() -> None:
    frontend = Frontend(broken=True)
    with pytest.raises(PowerFailure, match="read the power state before anything else"):
        Wire(frontend).control("finland").power_off("FI-0001")
    assert len(frontend.ran) == 1


@pytest.mark.parametrize(
    ("machine", "frontend", "cause"),
    [
        ("FI-0009", Frontend(), "0 hosts of this name"),
        ("FI-0001", Frontend(refused="exit code 3"), "Application error. exit code 3"),
    ],
)
def test_what_can_not_be_done_says_why(machine: str, frontend: Frontend, cause: str) -> None:
    with pytest.raises(PowerFailure, match=cause):
        Wire(frontend).control("finland").power_off(machine)


def test_a_refused_login_names_the_settings_and_keeps_the_password() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        data = "Incorrect user name or password or account is temporarily blocked."
        return reply({"jsonrpc": "2.0", "id": call["id"], "error": {"code": 1, "message": "m", "data": data}})

    with pytest.raises(PowerFailure, match="FINLAND_CONTROL_PASSWORD") as caught:
        Wire(handler).control("finland").power_off("FI-0001")
    assert PASSWORD not in str(caught.value)
