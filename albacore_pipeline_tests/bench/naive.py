"""The script that somebody would write in an afternoon: a request, a client and a frame for each machine.

Belongs here: what the pipeline is measured against; it is right only while nothing is missing, late or reset.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import httpx
import pandas as pd
import sqlalchemy as sa

from albacore_pipeline.periods import Window
from albacore_pipeline_tests.real.servers import RealServer

Read = Callable[[httpx.Client, str, Window], pd.DataFrame]


def counter(client: httpx.Client, machine: str, window: Window) -> pd.DataFrame:
    """A machine's hours from a counter in Prometheus."""
    seconds = round((window.end - window.start).total_seconds())
    query = f'pdu_outlet_energy_wh_total{{machine="{machine}"}}[{seconds}s]'
    answer = client.get("/api/v1/query", params={"query": query, "time": window.end.timestamp()}).json()
    frame = pd.DataFrame(answer["data"]["result"][0]["values"], columns=["at", "wh"], dtype=float)
    frame["at"] = pd.to_datetime(frame["at"], unit="s", utc=True)
    return frame.set_index("at").resample("h").last().diff().dropna().reset_index()


def intervals(client: httpx.Client, machine: str, window: Window) -> pd.DataFrame:
    """A machine's hours from intervals in VictoriaMetrics."""
    match = f'machine_interval_energy_kwh{{machine="{machine}"}}'
    span = {"start": window.start.timestamp(), "end": window.end.timestamp()}
    line = pd.read_json(io.BytesIO(client.get("/api/v1/export", params={"match[]": match, **span}).content), lines=True)
    at = pd.to_datetime(line["timestamps"][0], unit="ms", utc=True)
    frame = pd.DataFrame({"at": at, "wh": [kwh * 1000 for kwh in line["values"][0]]})
    return frame.set_index("at").resample("h").sum().reset_index()


def night(*, server: RealServer, machines: Sequence[str], window: Window, read: Read, engine: sa.Engine) -> None:
    """Collect a day of these machines and store it."""
    frames = []
    for machine in machines:
        with server.client() as client:
            frames.append(read(client, machine, window).assign(machine=machine))
    pd.concat(frames).to_sql("naive", engine, if_exists="replace", index=False)
