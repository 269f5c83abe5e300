from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import FailedRead, Machine, Meaning
from albacore_pipeline_tests.data_centres.wire import (
    END,
    START,
    WINDOW,
    Parts,
    Wire,
    always,
    form,
    ms,
    read,
    reply,
    table,
)

T = ms(START)


def line(machine: str, *pairs: tuple[int, Any], **labels: str) -> bytes:
    metric = {"__name__": "machine_interval_energy_kwh", "machine": machine} | labels
    values = [value for _, value in pairs]
    return json.dumps({"metric": metric, "values": values, "timestamps": [at for at, _ in pairs]}).encode() + b"\n"


def test_kilowatt_hours_become_watt_hours_and_lines_of_one_series_join() -> None:
    lines = (
        line("ID-0001", (T, 0.7), (T + 900_000, 0.8)) + line("ID-0001", (T + 900_000, 0.5)) + line("ID-0002", (T, 1))
    )
    wire = always(reply(lines, zipped=True))
    (samples,), raw = read(wire.source("indonesia"), "ID-0001", "ID-0002")
    assert samples.meaning is Meaning.INTERVAL_WH
    assert samples.machines == ["ID-0001", "ID-0002"]
    assert table(samples) == [
        ("ID-0001", T, 700.0),
        ("ID-0001", T + 900_000, 500.0),
        ("ID-0001", T + 900_000, 800.0),
        ("ID-0002", T, 1000.0),
    ]
    assert raw == [lines]
    asked = form(wire.requests[0])
    assert asked["match[]"] == 'machine_interval_energy_kwh{machine=~"ID-0001|ID-0002"}'
    assert (asked["start"], asked["end"]) == (f"{START.timestamp():.3f}", f"{END.timestamp():.3f}")


def test_what_can_be_no_reading_is_refused_and_the_rest_kept() -> None:
    odd = line("ID-0001", (T, None), (T + 1, "Infinity"), (T + 2, -0.5), (T + 3, "0.5"), (T + 4, 0.25))
    (samples,), _ = read(always(reply(odd)).source("indonesia"), "ID-0001")
    assert table(samples) == [("ID-0001", T + 4, 250.0)]
    assert sorted(r.reason for r in samples.refused) == ["negative", *["not a number"] * 3]


def last_seen(*series: tuple[dict[str, str], float]) -> httpx.Response:
    result = [{"metric": labels, "value": [END.timestamp(), f"{at:.15g}"]} for labels, at in series]
    return reply({"status": "success", "data": {"resultType": "vector", "result": result}})


def test_machines_come_from_descriptions_and_from_readings() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "machine_info" not in form(request)["query"]:
            return last_seen(({"machine": "ID-0002"}, T / 1000), ({"machine": "ID-0001"}, T / 1000))
        old, new = (
            {"machine": "ID-0001", "serial": serial, "model": "HX", "rated_watts": "3300"}
            for serial in ("z-old", "a-new")
        )
        return last_seen((new, T / 1000 + 5), (old, T / 1000))

    wire = Wire(handler)
    assert wire.source("indonesia").machines(as_of=END) == [
        Machine(name="ID-0001", serial="a-new", model="HX", rated_watts=3300),
        Machine(name="ID-0002"),
    ]
    assert [form(request) for request in wire.requests] == [
        {"query": f"tlast_over_time({metric}[86400s])", "time": f"{END.timestamp():.3f}"}
        for metric in ("machine_info", "machine_interval_energy_kwh")
    ]


def test_a_site_without_any_machine_is_a_failed_read() -> None:
    with pytest.raises(FailedRead, match="lists none"):
        always(last_seen()).source("indonesia").machines(as_of=END)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"status": "error", "errorType": "422", "error": "too many series"}, "VictoriaMetrics says: too many series"),
        ({"status": "success", "isPartial": True, "data": {"resultType": "vector", "result": []}}, "may be partial"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, "another shape"),
    ],
)
def test_an_inventory_that_is_no_list_is_a_failed_read(answer: dict[str, Any], cause: str) -> None:
    with pytest.raises(FailedRead, match=re.escape(cause)):
        always(reply(answer)).source("indonesia").machines(as_of=END)


def test_an_answer_cut_anywhere_is_a_failed_read_between_lines_too() -> None:
    whole = line("ID-0001", (T, 0.7)) + line("ID-0002", (T, 0.8))
    for cut in range(len(whole)):
        headers = {"content-length": str(len(whole))}
        wire = always(httpx.Response(200, headers=headers, stream=Parts([whole[:cut]])))
        with pytest.raises(FailedRead):
            read(wire.source("indonesia", attempts=1), "ID-0001", "ID-0002")


def test_a_last_line_without_its_end_is_refused() -> None:
    with pytest.raises(FailedRead, match="cut short"):
        read(always(reply(line("ID-0001", (T, 0.7)).rstrip())).source("indonesia"), "ID-0001")


def test_an_answer_without_any_declared_length_is_refused() -> None:
    wire = Wire(lambda _: httpx.Response(200, stream=Parts([line("ID-0001", (T, 0.7))])))
    with pytest.raises(FailedRead, match="no length"):
        read(wire.source("indonesia"), "ID-0001")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "has none for any"),
        (b"<html>\n", "web page"),
        (b"error: cannot export\n", "cut short or no JSON"),
        (b'{"metric":{},"values":[1,2],"timestamps":[1]}\n', "1 timestamps and 2 values"),
        (b'{"metric":{},"values":[null],"timestamps":[1,2]}\n', "2 timestamps and 1 values"),
        (b'{"metric":{},"values":7,"timestamps":[1]}\n', "another shape"),
        (b'{"metric":{"machine":1},"values":[],"timestamps":[]}\n', "another shape"),
        (b'{"status":"error","error":"in a 200"}\n', "another shape"),
    ],
)
def test_an_answer_that_is_no_data_is_a_failed_read(body: bytes, cause: str) -> None:
    with pytest.raises(FailedRead, match=re.escape(cause)):
        read(always(reply(body)).source("indonesia"), "ID-0001", window=WINDOW)
