"""Norway's power control: Redfish systems with `ComputerSystem.Reset`.

Belongs here: the service root, the systems and the reset action, with their errors.
Does not belong here: when a command takes effect (`power.py`).
Source: DMTF's Redfish specification; the root is open to everyone, the rest needs Basic auth.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from albacore_sandbox.answers import CONTROL_LOGIN, basic_login, json_answer, with_fault
from albacore_sandbox.store import Document, from_json
from albacore_sandbox.world import World

SITE, TARGET, BASE = "norway", "norway-control", "/norway-control/redfish/v1"
OFF = {"ForceOff", "GracefulShutdown"}
ON = {"On", "ForceOn", "ForceRestart", "GracefulRestart", "PowerCycle"}


def _error(text: str) -> Document:
    extended = [{"@odata.type": "/redfish/v1/$metadata#Message.1.0.0.Message", "MessageId": "Base.1.0.GeneralError"}]
    return {"error": {"code": "Base.1.0.GeneralError", "message": text, "@Message.ExtendedInfo": extended}}


class RedfishApi:
    """The service of one site."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fleet = world.fleets[SITE]

    async def root(self, request: Request) -> Response:
        """GET the service root, open to everyone."""
        systems = {"@odata.id": f"{BASE}/Systems"}
        name = {"@odata.id": f"{BASE}/", "Id": "RootService", "Name": "Root Service", "RedfishVersion": "1.0.2"}
        return json_answer({"@odata.type": "#ServiceRoot.v1_0_2.ServiceRoot", **name, "Systems": systems})

    async def systems(self, request: Request) -> Response:
        """GET the collection of systems."""
        return await self._answer(request, self._collection)

    async def system(self, request: Request) -> Response:
        """GET one system by its id; a name redirects to the id."""
        return await self._answer(request, lambda: self._one(request.path_params["system"]))

    async def reset(self, request: Request) -> Response:
        """POST `ComputerSystem.Reset`."""
        raw = await request.body()
        return await self._answer(request, lambda: self._reset(request.path_params["system"], raw))

    async def _answer(self, request: Request, respond: Callable[[], Response]) -> Response:
        if basic_login(request) != CONTROL_LOGIN:
            headers = {"WWW-Authenticate": 'Basic realm="Redfish"'}
            return json_answer(_error("Unauthorized"), status=401, headers=headers)
        fault = self.world.faults.meet(target=TARGET, method=request.method, path=request.url.path)
        empty: Document = {"Members": [], "Members@odata.count": 0}
        return await with_fault(fault, respond=respond, error=_error("The sandbox fails on request"), empty=empty)

    def _collection(self) -> Response:
        members = [{"@odata.id": f"{BASE}/Systems/{key}"} for key in self.fleet.uuids]
        body = {
            "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
            "@odata.id": f"{BASE}/Systems",
            "Name": "Computer System Collection",
            "Members@odata.count": len(members),
            "Members": members,
        }
        return json_answer(body)

    def _one(self, key: str) -> Response:
        if key in self.fleet.rows:
            return RedirectResponse(f"{BASE}/Systems/{self.fleet.uuids[self.fleet.rows[key]]}", status_code=307)
        if key not in self.fleet.rows_by_uuid:
            return json_answer(_error(f"System {key} was not found"), status=404)
        row = self.fleet.rows_by_uuid[key]
        name = self.fleet.names[row]
        reset = {
            "target": f"{BASE}/Systems/{key}/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": sorted(ON | OFF),
        }
        body = {
            "@odata.type": "#ComputerSystem.v1_1_0.ComputerSystem",
            "@odata.id": f"{BASE}/Systems/{key}",
            "Id": key,
            "UUID": key,
            "Name": name,
            "SerialNumber": self.fleet.serials[row],
            "Model": self.fleet.models[row],
            "PowerState": "On" if self.world.power.on(name) else "Off",
            "Status": {"State": "Enabled", "Health": "OK"},
            "Actions": {"#ComputerSystem.Reset": reset},
        }
        return json_answer(body)

    def _reset(self, key: str, raw: bytes) -> Response:
        row = self.fleet.rows_by_uuid.get(key)
        if row is None:
            return json_answer(_error(f"System {key} was not found"), status=404)
        try:
            kind = from_json(raw)["ResetType"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return json_answer(_error("The body must be JSON with a ResetType"), status=400)
        if not isinstance(kind, str) or kind not in ON | OFF:
            return json_answer(_error(f"The value {kind!r} for ResetType is not in the list of values"), status=400)
        self.world.power.command(self.fleet.names[row], on=kind in ON)
        return Response(status_code=204)


def routes(world: World) -> list[Route]:
    """The paths below `/norway-control`."""
    api = RedfishApi(world)
    return [
        Route("/redfish/v1", api.root),
        Route("/redfish/v1/", api.root),
        Route("/redfish/v1/Systems", api.systems),
        Route("/redfish/v1/Systems/{system}", api.system),
        Route("/redfish/v1/Systems/{system}/Actions/ComputerSystem.Reset", api.reset, methods=["POST"]),
    ]
