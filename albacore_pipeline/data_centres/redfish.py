"""Power through Redfish: `ComputerSystem.Reset` (DMTF DSP0266, schema ComputerSystem).

Belongs here: finding a machine's system by its `Name`, resetting it, reading `PowerState`.
Does not belong here: waiting for what became of it; emulators and controllers take seconds to change state.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import msgspec

from albacore_pipeline.data_centres.decode import decode
from albacore_pipeline.data_centres.http import SiteHttp, status
from albacore_pipeline.data_centres.interface import PowerState

SYSTEMS = "/redfish/v1/Systems"
MAX_PAGES = 1000
_SEE_SERVICE = "see whether {prefix}_URL leads to the site's Redfish service"


class _Link(msgspec.Struct):
    path: str = msgspec.field(name="@odata.id")


class _Collection(msgspec.Struct):
    members: list[_Link] = msgspec.field(name="Members")
    next: str | None = msgspec.field(name="Members@odata.nextLink", default=None)


class _Reset(msgspec.Struct):
    target: str


class _Actions(msgspec.Struct):
    reset: _Reset | None = msgspec.field(name="#ComputerSystem.Reset", default=None)


class _System(msgspec.Struct, rename="pascal"):
    name: str
    power_state: str | None = None
    actions: _Actions = msgspec.field(default_factory=_Actions)


class RedfishPower:
    """Switches the machines of one site. Implements `PowerControl`."""

    can_pause = True

    def __init__(self, *, http: SiteHttp) -> None:
        self._http = http
        self._paths: dict[str, str] = {}

    def power_off(self, machine: str) -> None:
        """`ForceOff`. Raises PowerFailure."""
        self._reset(machine, "ForceOff")

    def power_on(self, machine: str) -> None:
        """`On`. Raises PowerFailure."""
        self._reset(machine, "On")

    def power_state(self, machine: str) -> PowerState:
        """The system's `PowerState`. Raises PowerFailure for anything but On and Off, `PoweringOff` for one."""
        what = f"power state of {machine}"
        state = self._system(what, machine).power_state
        if state not in ("On", "Off"):
            mend = "ask again in a minute; see the machine's controller if it stays"
            raise self._http.failure(what=what, cause=f"PowerState is {state}", mend=mend)
        return PowerState(state.lower())

    def _reset(self, machine: str, kind: str) -> None:
        what = f"{kind} of {machine}"
        reset = self._system(what, machine).actions.reset
        if reset is None:
            raise self._http.failure(what=what, cause="the system offers no ComputerSystem.Reset", mend=_SEE_SERVICE)
        path = self._path(what, reset.target)
        self._http.command(what=what, path=path, method="POST", accept=status(200, 202, 204), json={"ResetType": kind})

    def _system(self, what: str, machine: str) -> _System:
        """The machine's system, whose name is read anew each time: acting on a neighbour would be worse than failing.

        A service that looks up names answers at once, with a redirect or without; else the collection is walked.
        """
        path = self._paths.get(machine) or self._by_name(what, machine)
        candidates = [path] if path else self._members(what)
        for candidate in candidates:
            answer = self._http.read(what=what, path=candidate)
            system = decode(body=answer.body, kind=_System, http=self._http, what=what)
            if system.name == machine:
                self._paths[machine] = candidate
                return system
        self._paths.pop(machine, None)
        mend = "see that the system's Name at the site is the machine's"
        raise self._http.failure(what=what, cause="no system bears this name", mend=mend)

    def _by_name(self, what: str, machine: str) -> str | None:
        path = f"{SYSTEMS}/{quote(machine, safe='')}"
        answer = self._http.read(what=what, path=path, accept=status(200, 301, 302, 307, 308, 404))
        if answer.status == 404:
            return None
        return path if answer.status == 200 else self._path(what, answer.headers.get("location", ""))

    def _members(self, what: str) -> Iterator[str]:
        """The path of every system, page by page. Pages that never end are an error."""
        path: str | None = SYSTEMS
        seen: set[str] = set()
        while path is not None:
            if path in seen or len(seen) == MAX_PAGES:
                raise self._http.failure(what=what, cause="the list of systems never ends", mend=_SEE_SERVICE)
            seen.add(path)
            answer = self._http.read(what=what, path=path)
            page = decode(body=answer.body, kind=_Collection, http=self._http, what=what)
            yield from (self._path(what, member.path) for member in page.members)
            path = self._path(what, page.next) if page.next is not None else None

    def _path(self, what: str, link: str) -> str:
        """A link as a path below the endpoint. One to another host is an error: that host would get our password."""
        there, here = urlsplit(link), urlsplit(self._http.endpoint.url)
        if there.netloc and (there.scheme, there.netloc) != (here.scheme, here.netloc):
            raise self._http.failure(what=what, cause="a link leads to another host", mend=_SEE_SERVICE)
        if not there.path.startswith("/"):
            raise self._http.failure(what=what, cause="a link has no path", mend=_SEE_SERVICE)
        path = there.path + (f"?{there.query}" if there.query else "")
        base = self._http.endpoint.base_path
        return path.removeprefix(base) if path.startswith(f"{base}/") else path
