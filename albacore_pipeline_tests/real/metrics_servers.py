"""Prometheus, VictoriaMetrics and InfluxDB as Debian packages them, each with a month in it.

Belongs here: their configuration and the quickest way to load them. Does not belong here: what is loaded.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import httpx

from albacore_pipeline_tests.real.servers import RealServer, ServerFailure, on_loopback, program, running


@contextmanager
def prometheus(*, folder: Path, openmetrics: Path) -> Iterator[RealServer]:
    """A Prometheus that holds the readings of an OpenMetrics file, behind basic authentication."""
    server = on_loopback()
    binary = program("prometheus", package="prometheus")
    data = folder / "data"
    _load_blocks(openmetrics, data)
    hashed = bcrypt.hashpw(server.password.encode(), bcrypt.gensalt(rounds=4)).decode()
    web, config = folder / "web.yml", folder / "prometheus.yml"
    web.write_text(f'basic_auth_users: {{{server.username}: "{hashed}"}}\n')
    config.write_text("global: {scrape_interval: 1h}\n")
    command = [
        binary,
        f"--config.file={config}",
        f"--web.config.file={web}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={server.address}",
    ]
    with (
        server.client() as client,
        running(command, ready=lambda: client.get("/-/ready").is_success, log=folder / "prometheus.log"),
    ):
        yield server


def _load_blocks(openmetrics: Path, data: Path) -> None:
    """Write the readings as Prometheus's own blocks; long ones, or a month would take minutes."""
    command = [program("promtool", package="prometheus"), "tsdb", "create-blocks-from", "--max-block-duration=768h"]
    loaded = subprocess.run([*command, "openmetrics", openmetrics, data], capture_output=True, text=True)
    if loaded.returncode:
        raise ServerFailure(f"promtool refused {openmetrics}: {(loaded.stderr.strip().splitlines() or ['?'])[-1]}")


@contextmanager
def victoria_metrics(*, folder: Path, lines: Iterable[bytes]) -> Iterator[RealServer]:
    """A VictoriaMetrics that holds these JSON lines, behind basic authentication. It keeps every duplicate."""
    server = on_loopback()
    command = [
        program("victoria-metrics", package="victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr={server.address}",
        "-retentionPeriod=100y",
        "-search.latencyOffset=0s",
        f"-httpAuth.username={server.username}",
        f"-httpAuth.password={server.password}",
    ]
    with (
        server.client() as client,
        running(command, ready=lambda: client.get("/health").is_success, log=folder / "victoria-metrics.log"),
    ):
        client.post("/api/v1/import", content=b"\n".join(lines)).raise_for_status()
        client.get("/internal/force_flush").raise_for_status()  # what was imported can be read from now on
        yield server


@contextmanager
def influxdb(*, folder: Path, database: str) -> Iterator[tuple[RealServer, RealServer]]:
    """An empty InfluxDB 1.x, as who may write and as who may only read the database."""
    writer = on_loopback(username="admin")
    reader = RealServer(url=writer.url)
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX.format(folder=folder, address=writer.address, inner=on_loopback().address))
    command = [program("influxd", package="influxdb"), "-config", str(config)]
    with running(command, ready=lambda: httpx.get(f"{writer.url}/ping").is_success, log=folder / "influxdb.log"):
        with httpx.Client(base_url=writer.url) as nobody:  # let in until there is an administrator
            _ask(nobody, f"CREATE USER admin WITH PASSWORD '{writer.password}' WITH ALL PRIVILEGES")
        with writer.client() as client:
            _ask(client, f'CREATE DATABASE "{database}"')
            _ask(client, f"CREATE USER {reader.username} WITH PASSWORD '{reader.password}'")
            _ask(client, f'GRANT READ ON "{database}" TO {reader.username}')
        yield writer, reader


_INFLUX = """
reporting-disabled = true
bind-address = "{inner}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[http]
  bind-address = "{address}"
  auth-enabled = true
  log-enabled = false
[monitor]
  store-enabled = false
"""


def _ask(client: httpx.Client, query: str) -> None:
    answer = client.post("/query", data={"q": query})
    if answer.is_error or "error" in answer.text:
        raise ServerFailure(f"InfluxDB refused {query.partition(' WITH ')[0]}: {answer.text.strip()}")


def write_points(server: RealServer, *, database: str, lines: list[str], at_once: int = 50_000) -> None:
    """Write points in line protocol, stamped in seconds."""
    with server.client() as client:
        for first in range(0, len(lines), at_once):
            content = "\n".join(lines[first : first + at_once]).encode()
            answer = client.post("/write", params={"db": database, "precision": "s"}, content=content)
            if answer.status_code != 204:
                raise ServerFailure(f"InfluxDB refused points: {answer.text.strip()}")
