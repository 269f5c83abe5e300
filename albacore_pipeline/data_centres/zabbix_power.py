"""Power through Zabbix's global scripts, in a login session.

Belongs here: logging in, finding host and script, running it. An API token can't run scripts in 6.0.
Does not belong here: what a script does at the site, and the envelope (`zabbix_rpc.py`).
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from albacore_pipeline.data_centres.decode import decode
from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.http import flat
from albacore_pipeline.data_centres.interface import PowerState
from albacore_pipeline.data_centres.zabbix_rpc import SessionLost, TooMuch, ZabbixRpc
from albacore_pipeline.sites import ZabbixScriptControl

T = TypeVar("T")


class _Host(msgspec.Struct):
    hostid: str
    host: str


class _Script(msgspec.Struct):
    scriptid: str
    name: str


class _Outcome(msgspec.Struct):
    response: str
    value: str = ""


class ZabbixScriptPower:
    """Switches the machines of one site. Implements `PowerControl`."""

    can_pause = True

    def __init__(self, *, interface: ZabbixScriptControl, endpoint: Endpoint, rpc: ZabbixRpc) -> None:
        self._interface, self._endpoint, self._rpc = interface, endpoint, rpc
        self._session: str | None = None

    def power_off(self, machine: str) -> None:
        """Run the site's script for power off. Raises PowerFailure."""
        self._run(machine, self._interface.off_script, once=True)

    def power_on(self, machine: str) -> None:
        """Run the site's script for power on. Raises PowerFailure."""
        self._run(machine, self._interface.on_script, once=True)

    def power_state(self, machine: str) -> PowerState:
        """What the site's status script says. Raises PowerFailure for anything but On and Off."""
        text = self._run(machine, self._interface.status_script, once=False)
        try:
            return PowerState(text.strip().lower())
        except ValueError:
            cause = f"the status script says {flat(text, 60)!r} instead of On or Off"
        mend = "ask again in a minute, or see the script at the site"
        raise self._rpc.http.failure(what=f"power state of {machine}", cause=cause, mend=mend)

    def _run(self, machine: str, script: str, *, once: bool) -> str:
        what = f"{script} of {machine}"
        host = self._host(what, machine)
        found = self._call(
            what, "script.get", {"output": ["scriptid", "name"], "filter": {"name": script}}, list[_Script]
        )
        ids = [one.scriptid for one in found if one.name == script]
        if len(ids) != 1:
            cause, mend = (
                f"the site has {len(ids)} scripts named {script}",
                "see its global scripts and their permissions",
            )
            raise self._rpc.http.failure(what=what, cause=cause, mend=mend)
        outcome = self._call(what, "script.execute", {"scriptid": ids[0], "hostid": host}, _Outcome, once=once)
        if outcome.response != "success":
            cause = f"the script ended with {flat(outcome.response, 60)}"
            raise self._rpc.http.failure(what=what, cause=cause, mend="see the script at the site")
        return outcome.value

    def _host(self, what: str, machine: str) -> str:
        params = {"output": ["hostid", "host"], "filter": {"host": [machine]}}
        ids = [one.hostid for one in self._call(what, "host.get", params, list[_Host]) if one.host == machine]
        if len(ids) != 1:
            cause, mend = f"the site has {len(ids)} hosts of this name", "see that the control user may see the host"
            raise self._rpc.http.failure(what=what, cause=cause, mend=mend)
        return ids[0]

    def _call(self, what: str, method: str, params: dict[str, Any], kind: type[T], *, once: bool = False) -> T:
        """Call in the session; if the server has lost it, the call has done nothing and is repeated in one new one."""
        for session in (self._session or self._login(), None):
            self._session = session or self._login()
            try:
                result = self._rpc.call(what=what, method=method, params=params, auth=self._session, once=once)
                return decode(body=result, kind=kind, http=self._rpc.http, what=what)
            except SessionLost:
                cause = "the session is lost, and so was a new one"
            except TooMuch:
                cause = "Zabbix broke off (HTTP 500)"
                break
        mend = "check {prefix}_USERNAME and _PASSWORD, and read the power state before anything else"
        raise self._rpc.http.failure(what=what, cause=cause, mend=mend)

    def _login(self) -> str:
        what = "login"
        params = {"username": self._endpoint.username, "password": self._endpoint.password}
        try:
            session = self._rpc.call(what=what, method="user.login", params=params, auth=None)
            return decode(body=session, kind=str, http=self._rpc.http, what=what)
        except (SessionLost, TooMuch):
            cause = "Zabbix let nobody in"
        raise self._rpc.http.failure(what=what, cause=cause, mend="check {prefix}_USERNAME and {prefix}_PASSWORD")
