"""Indonesia's power control: OpenStack Ironic's bare-metal nodes.

Belongs here: the nodes, their states and the power target, with Ironic's errors.
Does not belong here: when a command takes effect (`power.py`).
Source: the bare metal API reference of OpenStack; an error's message is a JSON text inside JSON.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from albacore_sandbox.answers import CONTROL_LOGIN, basic_login, json_answer, with_fault
from albacore_sandbox.store import Document, from_json, to_json
from albacore_sandbox.world import World

SITE, TARGET, BASE = "indonesia", "indonesia-control", "/indonesia-control/v1"
TARGETS = {
    "power on": True, "power off": False, "soft power off": False, "rebooting": True, "soft rebooting": True,
}  # fmt: skip
SUMMARY = ("uuid", "name", "power_state", "provision_state", "maintenance", "instance_uuid", "links")
MOST_NODES = 1000
VERSION = {"OpenStack-API-Version": "baremetal 1.81", "X-OpenStack-Ironic-API-Version": "1.81"}


def _error(text: str) -> Document:
    fault = {"faultcode": "Client", "faultstring": text, "debuginfo": None}
    return {"error_message": to_json(fault).decode()}


def _state(on: bool | None) -> str | None:
    return None if on is None else "power on" if on else "power off"


class IronicApi:
    """The service of one site."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fleet = world.fleets[SITE]

    async def root(self, request: Request) -> Response:
        """GET the version document, open to everyone."""
        links = [{"href": f"{self.world.url}{BASE}/", "rel": "self"}]
        return json_answer({"id": "v1", "links": links, "nodes": [{"href": f"{self.world.url}{BASE}/nodes/"}]})

    async def nodes(self, request: Request) -> Response:
        """GET a page of nodes."""
        return await self._answer(request, lambda: self._page(dict(request.query_params)))

    async def node(self, request: Request) -> Response:
        """GET one node by id or name."""
        fields = request.query_params.get("fields")
        return await self._for_node(request, lambda row: json_answer(_chosen(self._node(row), fields)))

    async def states(self, request: Request) -> Response:
        """GET the states of one node."""
        return await self._for_node(request, lambda row: json_answer(self._states(row)))

    async def power(self, request: Request) -> Response:
        """PUT a power target."""
        raw = await request.body()
        return await self._for_node(request, lambda row: self._command(row, raw))

    async def _answer(self, request: Request, respond: Callable[[], Response]) -> Response:
        if basic_login(request) != CONTROL_LOGIN:
            body = {"error": {"message": "Authorization required", "code": 401, "title": "Unauthorized"}}
            headers = {"WWW-Authenticate": 'Basic realm="Baremetal API"'}
            return json_answer(body, status=401, headers=headers)
        fault = self.world.faults.meet(target=TARGET, method=request.method, path=request.url.path)
        error = _error("The sandbox fails on request")
        answer = await with_fault(fault, respond=respond, error=error, empty={"nodes": []})
        answer.headers.update(VERSION)
        return answer

    async def _for_node(self, request: Request, respond: Callable[[int], Response]) -> Response:
        key = request.path_params["node"]
        row = self.fleet.rows.get(key, self.fleet.rows_by_uuid.get(key))
        missing = json_answer(_error(f"Node {key} could not be found."), status=404)
        return await self._answer(request, lambda: missing if row is None else respond(row))

    def _page(self, given: dict[str, str]) -> Response:
        limit, marker = given.get("limit", str(MOST_NODES)), given.get("marker")
        if not limit.isdigit():
            return json_answer(_error("Limit must be positive"), status=400)
        if marker is not None and marker not in self.fleet.rows_by_uuid:
            return json_answer(_error(f"Node {marker} could not be found."), status=404)
        size = min(int(limit) or MOST_NODES, MOST_NODES)
        first = 0 if marker is None else self.fleet.rows_by_uuid[marker] + 1
        rows = range(first, min(first + size, len(self.fleet)))
        fields = given.get("fields") or ",".join(SUMMARY)
        body: Document = {"nodes": [_chosen(self._node(row), fields) for row in rows]}
        if first + size < len(self.fleet):
            kept = f"&fields={given['fields']}" if given.get("fields") else ""
            last = self.fleet.uuids[rows[-1]]
            body["next"] = f"{self.world.url}{BASE}/nodes?limit={size}{kept}&marker={last}"
        return json_answer(body)

    def _node(self, row: int) -> Document:
        name, key = self.fleet.names[row], self.fleet.uuids[row]
        return {
            "uuid": key,
            "name": name,
            "power_state": _state(self.world.power.on(name)),
            "target_power_state": _state(self.world.power.target(name)),
            "provision_state": "active",
            "maintenance": False,
            "instance_uuid": None,
            "driver": "redfish",
            "properties": {"serial": self.fleet.serials[row], "model": self.fleet.models[row]},
            "links": [{"href": f"{self.world.url}{BASE}/nodes/{key}", "rel": "self"}],
        }

    def _states(self, row: int) -> Document:
        names = ("power_state", "target_power_state", "provision_state")
        more = {"target_provision_state": None, "last_error": None, "console_enabled": False}
        return {name: value for name, value in self._node(row).items() if name in names} | more

    def _command(self, row: int, raw: bytes) -> Response:
        machine = self.fleet.names[row]
        try:
            target = from_json(raw)["target"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return json_answer(_error("Mandatory field missing: target"), status=400)
        if not isinstance(target, str) or target not in TARGETS:
            return json_answer(_error(f"Invalid target power state {target!r}"), status=400)
        if self.world.power.target(machine) is not None:
            text = f"Node {self.fleet.uuids[row]} is locked by host sandbox, please retry after the current operation."
            return json_answer(_error(text), status=409)
        self.world.power.command(machine, on=TARGETS[target])
        return Response(status_code=202)


def _chosen(node: Document, fields: str | None) -> Document:
    target = fields.split(",") if fields else list(node)
    return {name: value for name, value in node.items() if name in target}


def routes(world: World) -> list[Route]:
    """The paths below `/indonesia-control`."""
    api = IronicApi(world)
    return [
        Route("/v1", api.root),
        Route("/v1/", api.root),
        Route("/v1/nodes", api.nodes),
        Route("/v1/nodes/{node}", api.node),
        Route("/v1/nodes/{node}/states", api.states),
        Route("/v1/nodes/{node}/states/power", api.power, methods=["PUT"]),
    ]
