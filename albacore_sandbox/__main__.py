"""The sandbox as a process: `python -m albacore_sandbox --home DIR`.

Belongs here: sockets, signals, and the file that says where it listens.
Does not belong here: starting it in the background (`process.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
from pathlib import Path

import uvicorn

from albacore_sandbox.addresses import HOST, mailbox_url
from albacore_sandbox.answers import Protocol
from albacore_sandbox.app import build_app
from albacore_sandbox.mailbox import Mailbox, smtp_protocol
from albacore_sandbox.world import World


def main() -> None:
    """Serve a world until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m albacore_sandbox", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="where the world's state lies")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes the last one, or a free one")
    parser.add_argument("--machines-per-site", type=int, default=50, help="for a new world")
    parser.add_argument("--seed", type=int, default=7, help="for a new world")
    given = parser.parse_args()
    if given.machines_per_site < 1:
        parser.error("--machines-per-site must be at least 1")
    asyncio.run(serve(home=given.home, port=given.port, machines_per_site=given.machines_per_site, seed=given.seed))


async def serve(*, home: Path, port: int, machines_per_site: int, seed: int) -> None:
    """Serve a world until the server is told to end; `server.json` tells where, once it listens."""
    world = World(home=home, machines_per_site=machines_per_site, seed=seed)
    mailbox = Mailbox(clock=world.clock, faults=world.faults, kept=world.store.collection("mail"))
    ports = world.settings.get("ports", {})
    web = _listen(port, fallback=int(ports.get("http", 0)), fixed=port != 0)
    post = _listen(0, fallback=int(ports.get("smtp", 0)), fixed=False)
    http_port, smtp_port = (each.getsockname()[1] for each in (web, post))
    world.settings.put("ports", {"http": http_port, "smtp": smtp_port})
    world.url, world.smtp_url = f"http://{HOST}:{http_port}", mailbox_url(smtp_port)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: smtp_protocol(mailbox), sock=post)
    app = build_app(world=world, mailbox=mailbox)
    config = uvicorn.Config(
        app, http=Protocol, ws="none", log_level="warning", access_log=False, lifespan="off", date_header=False
    )
    server = _Server(config, ready=lambda: _write_address(home, url=world.url, smtp_url=world.smtp_url))
    try:
        await server.serve(sockets=[web])
    finally:
        smtp.close()
        world.close()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, *, ready: object) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets=sockets)
        if self.started and callable(self._ready):
            self._ready()


def _listen(port: int, *, fallback: int, fixed: bool) -> socket.socket:
    """A listening socket on the port; if none is asked for, on the one it had before, or any free one."""
    for candidate in (port,) if fixed else (fallback, 0):
        # With the protocol named, asyncio turns Nagle's delay off on each connection: 40 ms an answer.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen(128)
        except OSError:
            listener.close()
            if fixed or candidate == 0:
                raise
        else:
            return listener
    raise AssertionError("a free port is always found or an error raised")


def _write_address(home: Path, *, url: str, smtp_url: str) -> None:
    draft = home / "server.json.new"
    draft.write_text(json.dumps({"pid": os.getpid(), "url": url, "smtp_url": smtp_url}))
    draft.replace(home / "server.json")


if __name__ == "__main__":
    main()
