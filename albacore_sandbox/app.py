"""The whole world behind one port.

Belongs here: which interface lies under which path.
Does not belong here: the interfaces, and the process around them (`__main__.py`).
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from albacore_sandbox import control, influx, ironic, prometheus, redfish, victoria, zabbix
from albacore_sandbox.mailbox import Mailbox
from albacore_sandbox.world import World
from albacore_sandbox.xero import http as xero_http


def build_app(*, world: World, mailbox: Mailbox) -> Starlette:
    """The application over a world."""
    xero = xero_http.Xero(world)
    handles = control.Control(world=world, xero=xero, mailbox=mailbox)
    return Starlette(
        routes=[
            Mount("/sandbox", routes=control.routes(handles)),
            Mount("/norway", routes=prometheus.routes(world)),
            Mount("/norway-control", routes=redfish.routes(world)),
            Mount("/finland", routes=zabbix.routes(world)),
            Mount("/ethiopia", routes=influx.routes(world)),
            Mount("/indonesia", routes=victoria.routes(world)),
            Mount("/indonesia-control", routes=ironic.routes(world)),
            *xero_http.routes(xero),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=2000, compresslevel=1)],
    )
