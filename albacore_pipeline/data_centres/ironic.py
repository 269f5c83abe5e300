"""Power through OpenStack Ironic: `PUT /v1/nodes/{id}/states/power` (docs.openstack.org/api-ref/baremetal).

Belongs here: the node of a machine, its power target and its power state. Nodes are asked for by name, so no list is
ever paged through. Does not belong here: waiting for what became of a command.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from albacore_pipeline.data_centres.decode import decode
from albacore_pipeline.data_centres.http import Answer, SiteHttp, status
from albacore_pipeline.data_centres.interface import PowerState

_HEADERS = {"OpenStack-API-Version": "baremetal 1.31"}  # names as ids need 1.5; newer servers take older versions
_STATES = {"power on": PowerState.ON, "power off": PowerState.OFF}


class _Node(msgspec.Struct):
    uuid: str
    name: str | None = None
    power_state: str | None = None
    target_power_state: str | None = None


class IronicPower:
    """Switches the machines of one site. Implements `PowerControl`."""

    can_pause = True

    def __init__(self, *, http: SiteHttp) -> None:
        self._http = http

    def power_off(self, machine: str) -> None:
        """Set the target `power off`. Raises PowerFailure, also while the node is locked by another operation."""
        self._set(machine, "power off")

    def power_on(self, machine: str) -> None:
        """Set the target `power on`. Raises PowerFailure, also while the node is locked by another operation."""
        self._set(machine, "power on")

    def power_state(self, machine: str) -> PowerState:
        """The node's state. Raises PowerFailure while it is unknown or on its way to a target."""
        what = f"power state of {machine}"
        node = self._node(what, machine)
        if node.target_power_state is not None:
            cause = f"the node is in transition to {node.target_power_state}"
        elif node.power_state not in _STATES:
            cause = f"the node's power_state is {node.power_state}"
        else:
            return _STATES[node.power_state]
        mend = "ask again in a minute; see the node's last_error and provision state if it stays"
        raise self._http.failure(what=what, cause=cause, mend=mend)

    def _set(self, machine: str, target: str) -> None:
        what = f"{target} of {machine}"
        path = f"/v1/nodes/{quote(self._node(what, machine).uuid, safe='')}/states/power"
        answer = self._http.command(
            what=what, path=path, method="PUT", accept=status(202, 400, 409), headers=_HEADERS, json={"target": target}
        )
        if answer.status == 409:
            cause, mend = f"the node is locked: {_error_text(answer)}", "try again when its current operation has ended"
            raise self._http.failure(what=what, cause=cause, mend=mend)
        if answer.status == 400:
            mend = "see whether the node is managed and has a power interface"
            raise self._http.failure(what=what, cause=f"Ironic says: {_error_text(answer)}", mend=mend)

    def _node(self, what: str, machine: str) -> _Node:
        path = f"/v1/nodes/{quote(machine, safe='')}"
        answer = self._http.read(what=what, path=path, accept=status(200, 404), headers=_HEADERS)
        if answer.status == 404:
            cause, mend = "the site has no node of this name", "see that the node's name at the site is the machine's"
            raise self._http.failure(what=what, cause=cause, mend=mend)
        node = decode(body=answer.body, kind=_Node, http=self._http, what=what)
        if node.name != machine:
            raise self._http.failure(
                what=what, cause="another node came", mend="see whether {prefix}_URL leads to the site's Ironic"
            )
        return node


def _error_text(answer: Answer) -> str:
    """The text of Ironic's error: JSON in a string in JSON, or whatever stands there instead."""
    try:
        outer: dict[str, Any] = msgspec.json.decode(answer.body, type=dict[str, Any])
        inner: dict[str, Any] = msgspec.json.decode(outer["error_message"], type=dict[str, Any])
        return str(inner["faultstring"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return answer.body[:300].decode(errors="replace")
