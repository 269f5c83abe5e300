"""The four energy interfaces tell the truth, each in its own way.

Belongs here: wire forms, and that what they say adds up to the world's truth.
Does not belong here: faults (`test_faults.py`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest

from albacore_pipeline_tests.sandbox.conftest import ENERGY, Outside

START, END = "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"  # 26 October in Oslo: 25 hours
FIRST, LAST = (datetime.fromisoformat(text).timestamp() for text in (START, END))
MARGIN = 3 * 3600
HOURS = FIRST + 3600 * np.arange(26)


def query(world: Outside, site: str, text: str, **more: Any) -> httpx.Response:
    return world.http.get(f"/{site}/api/v1/query", params={"query": text} | more, auth=ENERGY)


def rpc(world: Outside, method: str, params: Any, auth: str | None = "demo-finland-token") -> Any:
    call = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1} | ({"auth": auth} if auth else {})
    answer = world.http.post("/finland/api_jsonrpc.php", json=call)
    assert answer.status_code == 200
    return answer.json()


def influx(world: Outside, text: str, **more: str) -> httpx.Response:
    return world.http.get("/ethiopia/query", params={"q": text, "db": "site"} | more, auth=ENERGY)


def trapezoid_hours(at: list[float], watts: list[float]) -> Any:
    """Wh between full hours of a power that runs straight from sample to sample."""
    instants = np.union1d(at, HOURS)
    power = np.interp(instants, at, watts)
    energy = np.concatenate([[0], np.cumsum((power[1:] + power[:-1]) / 2 * np.diff(instants) / 3600)])
    return np.diff(energy[np.searchsorted(instants, HOURS)])


def test_counter_differences_are_the_truth(shared: Outside) -> None:
    text = f'pdu_outlet_energy_wh_total{{machine=~"NO\\\\-0001|NO\\\\-0050"}}[{int(LAST - FIRST) + 2 * MARGIN}s]'
    answer = query(shared, "norway", text, time=LAST + MARGIN).json()
    assert answer["status"] == "success" and answer["data"]["resultType"] == "matrix"
    truth = shared.truth("norway", START, END)
    series = {each["metric"]["machine"]: each["values"] for each in answer["data"]["result"]}
    assert set(series) == {"NO-0001", "NO-0050"}
    for machine, values in series.items():
        assert all(isinstance(text, str) for _, text in values)
        counter = np.interp(HOURS, [at for at, _ in values], [float(text) for _, text in values])
        assert np.diff(counter) == pytest.approx(truth[machine], abs=1e-3)


def test_range_selectors_are_closed_on_both_ends(shared: Outside) -> None:
    values = query(shared, "norway", 'pdu_outlet_energy_wh_total{machine="NO-0001"}[1h]', time=LAST)
    at = [each[0] for each in values.json()["data"]["result"][0]["values"]]
    text = f'pdu_outlet_energy_wh_total{{machine="NO-0001"}}[{round((at[-1] - at[0]) * 1000)}ms]'
    again = query(shared, "norway", text, time=at[-1]).json()["data"]["result"][0]["values"]
    assert [each[0] for each in again] == at
    assert len(at) == 12


def test_machine_info_is_an_instant_vector(shared: Outside) -> None:
    for site, prefix in (("norway", "NO"), ("indonesia", "ID")):
        result = query(shared, site, "machine_info", time=LAST).json()["data"]["result"]
        assert [each["metric"]["machine"] for each in result] == [f"{prefix}-{n:04d}" for n in range(1, 51)]
        assert all(2500 <= int(each["metric"]["rated_watts"]) <= 5500 for each in result)
        assert {each["value"][1] for each in result} == {"1"}


@pytest.mark.parametrize("site", ["norway", "indonesia"])
def test_metrics_refuse_strangers_and_nonsense(shared: Outside, site: str) -> None:
    stranger = shared.http.get(f"/{site}/api/v1/query", params={"query": "machine_info"}, auth=("billing", "wrong"))
    assert stranger.status_code == 401 and stranger.headers["www-authenticate"].startswith("Basic")
    nonsense = query(shared, site, "rate(machine_info[5m])")
    assert nonsense.status_code in (400, 422) and nonsense.json()["status"] == "error"
    escape = query(shared, site, 'machine_info{machine=~"NO\\-0001"}')
    assert "unknown escape sequence" in escape.json()["error"]


def test_post_and_gzip(shared: Outside) -> None:
    answer = shared.http.post("/norway/api/v1/query", data={"query": "machine_info"}, auth=ENERGY)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["data"]["result"]) == 50


def test_history_is_the_truth(shared: Outside) -> None:
    items = rpc(shared, "item.get", {"filter": {"key_": "power.active"}, "output": ["itemid", "units", "value_type"],
                                     "selectHosts": ["host"], "limit": 3})["result"]  # fmt: skip
    assert {(item["units"], item["value_type"]) for item in items} == {("W", "0")}
    params = {"history": 0, "itemids": [item["itemid"] for item in items], "sortfield": ["itemid", "clock"],
              "time_from": int(FIRST) - MARGIN, "time_till": int(LAST) + MARGIN}  # fmt: skip
    rows = rpc(shared, "history.get", params)["result"]
    assert all(isinstance(value, str) for value in rows[0].values())
    truth = shared.truth("finland", START, END)
    for item in items:
        own = [row for row in rows if row["itemid"] == item["itemid"]]
        energy = trapezoid_hours([float(row["clock"]) for row in own], [float(row["value"]) for row in own])
        assert energy == pytest.approx(truth[item["hosts"][0]["host"]], abs=1e-3)


def test_history_order_limit_and_wrong_type(shared: Outside) -> None:
    params = {"history": 0, "time_from": int(FIRST), "time_till": int(FIRST) + 3600}
    rows = rpc(shared, "history.get", params | {"sortfield": "clock", "sortorder": "DESC", "limit": 70})["result"]
    clocks = [int(row["clock"]) for row in rows]
    assert len(rows) == 70 and clocks == sorted(clocks, reverse=True)
    assert rpc(shared, "history.get", {**params, "history": 3})["result"] == []


def test_too_many_history_rows_break_the_frontend(shared: Outside) -> None:
    params = {"history": 0, "time_from": int(FIRST) - 40 * 86_400, "time_till": int(FIRST)}
    call = {"jsonrpc": "2.0", "method": "history.get", "params": params, "id": 1, "auth": "demo-finland-token"}
    answer = shared.http.post("/finland/api_jsonrpc.php", json=call)
    assert (answer.status_code, answer.content) == (500, b"")


def test_trends_average_the_history(shared: Outside) -> None:
    item = rpc(shared, "item.get", {"limit": 1})["result"][0]["itemid"]
    span = {"time_from": int(FIRST), "time_till": int(FIRST) + 7199}
    trends = rpc(shared, "trend.get", {"itemids": [item], **span})["result"]
    rows = rpc(shared, "history.get", {"history": 0, "itemids": item, **span})["result"]
    assert [int(each["clock"]) for each in trends] == [int(FIRST), int(FIRST) + 3600]
    for trend in trends:
        watts = [float(r["value"]) for r in rows if 0 <= int(r["clock"]) - int(trend["clock"]) < 3600]
        assert int(trend["num"]) == len(watts) == 12
        assert float(trend["value_avg"]) == pytest.approx(np.mean(watts), abs=1e-3)
        assert (float(trend["value_min"]), float(trend["value_max"])) == (min(watts), max(watts))


def test_zabbix_hosts_and_errors(shared: Outside) -> None:
    hosts = rpc(shared, "host.get", {"output": ["host"], "selectTags": "extend", "filter": {"host": ["FI-0003"]}})
    assert [host["host"] for host in hosts["result"]] == ["FI-0003"]
    assert {tag["tag"] for tag in hosts["result"][0]["tags"]} >= {"rated_watts", "serial", "model"}
    assert rpc(shared, "apiinfo.version", {}, auth=None)["result"] == "6.0.14"
    assert rpc(shared, "host.get", {}, auth=None)["error"]["data"] == "Not authorized."
    assert "re-login" in rpc(shared, "host.get", {}, auth="0" * 32)["error"]["data"]
    assert shared.http.post("/finland/api_jsonrpc.php", content=b"{}").status_code == 412


def test_watts_of_influx_are_the_truth(shared: Outside) -> None:
    text = (
        f'SELECT "watts" FROM "power" WHERE "host" =~ /^(ET-0002|ET-0031)$/ AND time >= {int(FIRST - MARGIN)}s '
        f'AND time <= {int(LAST + MARGIN)}s GROUP BY "host"'
    )
    series = influx(shared, text, epoch="ms").json()["results"][0]["series"]
    truth = shared.truth("ethiopia", START, END)
    assert [each["tags"]["host"] for each in series] == ["ET-0002", "ET-0031"]
    for each in series:
        assert (each["name"], each["columns"]) == ("power", ["time", "watts"])
        at, watts = zip(*each["values"], strict=True)
        energy = trapezoid_hours([ms / 1000 for ms in at], list(watts))
        assert energy == pytest.approx(truth[each["tags"]["host"]], abs=1e-3)


def test_influx_chunks_hold_the_same(shared: Outside) -> None:
    text = (
        "SELECT \"watts\" FROM \"power\" WHERE time >= '2025-10-25T00:00:00Z' AND time < '2025-10-25T01:00:00Z' "
        'AND "host" =~ /^(ET-0001|ET-0002)$/ GROUP BY "host"'
    )
    whole = influx(shared, text, epoch="ms").json()["results"][0]["series"]
    chunks = [
        json.loads(line) for line in influx(shared, text, epoch="ms", chunked="true", chunk_size="5").text.splitlines()
    ]
    assert [chunk["results"][0].get("partial", False) for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    merged: dict[str, list[Any]] = {}
    for chunk in chunks:
        for series in chunk["results"][0]["series"]:
            merged.setdefault(series["tags"]["host"], []).extend(series["values"])
    assert merged == {series["tags"]["host"]: series["values"] for series in whole}
    assert len(chunks) == 6


def test_influx_metadata_and_errors(shared: Outside) -> None:
    values = influx(shared, 'SHOW TAG VALUES FROM "power" WITH KEY = "host"').json()["results"][0]["series"][0]
    assert values["columns"] == ["key", "value"] and values["values"][49] == ["host", "ET-0050"]
    text = 'SELECT LAST("rated_watts") FROM "machine_info" GROUP BY "host","serial","model"'
    series = influx(shared, text).json()["results"][0]["series"]
    assert len(series) == 50 and set(series[0]["tags"]) == {"host", "serial", "model"}
    assert influx(shared, 'SELECT "watts" FROM "nothing"').json() == {"results": [{"statement_id": 0}]}
    assert influx(shared, "SELEKT").status_code == 400
    assert "database not found" in influx(shared, text, db="other").json()["results"][0]["error"]
    stranger = shared.http.get("/ethiopia/query", params={"q": text, "db": "site"}, auth=("billing", "x"))
    assert (stranger.status_code, stranger.json()) == (401, {"error": "authorization failed"})


def test_intervals_are_the_truth(shared: Outside) -> None:
    params: dict[str, Any] = {
        "match[]": 'machine_interval_energy_kwh{machine=~"ID-0001|ID-0009"}',
        "start": FIRST - MARGIN,
        "end": LAST + MARGIN,
    }
    answer = shared.http.get("/indonesia/api/v1/export", params=params, auth=ENERGY)
    truth = shared.truth("indonesia", START, END)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["metric"]["machine"] for line in lines] == ["ID-0001", "ID-0009"]
    for line in lines:
        ends = np.array(line["timestamps"]) / 1000
        energy = np.concatenate([[0], np.cumsum(line["values"])]) * 1000
        bounds = np.concatenate([[ends[0] - 900], ends])
        assert np.diff(np.interp(HOURS, bounds, energy)) == pytest.approx(truth[line["metric"]["machine"]], abs=1e-3)


def test_nothing_newer_than_the_present_is_served(shared: Outside) -> None:
    now = datetime.fromisoformat(shared.http.get("/sandbox/clock").json()["now"])
    values = query(shared, "norway", "pdu_outlet_energy_wh_total[1h]", time=now.timestamp() + 1800).json()
    at = [point[0] for series in values["data"]["result"] for point in series["values"]]
    assert now.timestamp() - 360 < max(at) <= datetime.now(UTC).timestamp()
    assert max(at) <= datetime.fromisoformat(shared.http.get("/sandbox/clock").json()["now"]).timestamp()
