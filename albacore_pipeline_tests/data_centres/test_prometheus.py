from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import FailedRead, Machine, Meaning, Raw
from albacore_pipeline.data_centres.inventory import machine
from albacore_pipeline.data_centres.prometheus import PrometheusSource
from albacore_pipeline.sites import PrometheusCounter
from albacore_pipeline_tests.data_centres.wire import (
    END,
    LATER,
    START,
    WINDOW,
    FixedClock,
    Wire,
    always,
    form,
    ms,
    read,
    reply,
    table,
)

T = START.timestamp()


def matrix(*series: tuple[dict[str, str], list[list[Any]]]) -> dict[str, Any]:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def outlet(machine: str, *values: list[Any], **labels: str) -> tuple[dict[str, str], list[list[Any]]]:
    return {"__name__": "pdu_outlet_energy_wh_total", "machine": machine} | labels, list(values)


def test_samples_are_raw_and_the_window_is_closed_on_both_ends() -> None:
    answer = matrix(
        outlet(
            "NO-0001", [T - 1, "1"], [T, "2"], [T + 299.137, "3.5"], [END.timestamp(), "4"], [END.timestamp() + 1, "5"]
        ),
        outlet("NO-0002", [T, "7"]),
    )
    wire = always(reply(answer, zipped=True))
    (samples,), raw = read(wire.source("norway"), "NO-0001", "NO-0002")
    assert samples.meaning is Meaning.COUNTER_WH
    assert table(samples) == [
        ("NO-0001", ms(START), 2.0),
        ("NO-0001", ms(START) + 299_137, 3.5),
        ("NO-0001", ms(END), 4.0),
        ("NO-0002", ms(START), 7.0),
    ]
    assert samples.refused == []
    assert len(raw) == 1
    assert b'"3.5"' in raw[0]


def test_the_query_covers_a_second_more_and_names_exactly_the_machines() -> None:
    wire = Wire(lambda _: reply(matrix(outlet('A"\\.+|\n', [T, "1"]))))
    read(wire.source("norway"), 'A"\\.+|\n', "NO-0001")
    asked = form(wire.requests[0])
    assert wire.requests[0].method == "POST"
    assert asked["time"] == f"{END.timestamp():.3f}"
    found = re.fullmatch(r'pdu_outlet_energy_wh_total\{machine=~("(?:[^"\\]|\\.)*")\}\[86401s\]', asked["query"])
    assert found is not None
    pattern = found[1][1:-1].encode().decode("unicode_escape")
    assert re.fullmatch(pattern, 'A"\\.+|\n')
    assert re.fullmatch(pattern, "NO-0001")
    assert not re.fullmatch(pattern, 'A"\\x+|\n')
    assert not re.fullmatch(pattern, "NO-00011")


def test_series_of_one_machine_stay_apart() -> None:
    answer = matrix(outlet("NO-0001", [T, "1"], outlet="1"), outlet("NO-0001", [T, "2"], outlet="2"))
    (samples,), _ = read(always(reply(answer)).source("norway"), "NO-0001")
    assert samples.machines == ["NO-0001", "NO-0001"]
    assert samples.series.tolist() == [0, 1]


def test_what_can_be_no_reading_is_refused_and_the_rest_kept() -> None:
    future = (LATER + timedelta(minutes=3)).timestamp()
    bad = [[T, "NaN"], [T + 1, "+Inf"], [T + 2, "-1"], [T + 3, "12,5"], [T + 4, "1e400"], [T + 5, "1_000"], [T + 6, ""]]
    answer = matrix(
        outlet("NO-0001", *bad, [T + 7, "8"], [T + 8, None], [future, "9"]), outlet("XX-1", [T, "1"], [T, "2"])
    )
    source = always(reply(answer)).source("norway")
    window = type(WINDOW)(START, LATER + timedelta(hours=1))
    (samples,), _ = read(source, "NO-0001", window=window)
    assert table(samples) == [("NO-0001", ms(START) + 7000, 8.0)]
    reasons = sorted((r.machine, r.reason) for r in samples.refused)
    assert reasons == [
        ("NO-0001", "in the future"),
        ("NO-0001", "negative"),
        *[("NO-0001", "not a finite number")] * 3,
        *[("NO-0001", "not a number")] * 4,
        ("XX-1", "a machine that was not asked for"),
    ]
    assert {r.value for r in samples.refused} >= {'"12,5"', '"1_000"', '""', "null", "2 readings"}


def test_a_clock_a_little_ahead_is_forgiven() -> None:
    at = (LATER + timedelta(minutes=1)).timestamp()
    window = type(WINDOW)(START, LATER + timedelta(hours=1))
    (samples,), _ = read(Wire(lambda _: reply(matrix(outlet("N", [at, "1"])))).source("norway"), "N", window=window)
    assert len(samples.value) == 1


def test_machines_come_from_descriptions_and_from_counters() -> None:
    def info(machine: str, serial: str, watts: str) -> dict[str, str]:
        return {"machine": machine, "serial": serial, "model": "HX", "rated_watts": watts}

    def handler(request: httpx.Request) -> httpx.Response:
        asked = form(request)
        if request.url.path.endswith("/query"):
            present = [{"metric": info("NO-0001", "a-new", "3500.0"), "value": [T, "1"]}]
            return reply({"status": "success", "data": {"resultType": "vector", "result": present}})
        series = {
            "machine_info": [
                info("NO-0001", "z-old", "3400"),
                info("NO-0001", "a-new", "3500.0"),
                info("NO-0002", "", "x"),
            ],
            "pdu_outlet_energy_wh_total": [{"machine": "NO-0001"}, {"machine": "NO-0003"}, {"instance": "no machine"}],
        }
        assert float(asked["end"]) - float(asked["start"]) == 86_400
        return reply({"status": "success", "data": series[asked["match[]"]]})

    assert Wire(handler).source("norway").machines(as_of=END) == [
        Machine(name="NO-0001", serial="a-new", model="HX", rated_watts=3500),
        Machine(name="NO-0002", serial=None, model="HX", rated_watts=None),
        Machine(name="NO-0003"),
    ]


@pytest.mark.parametrize(
    ("text", "watts"),
    [
        ("3400", 3400),
        ("3400.4", 3400),
        ("0", None),
        ("-5", None),
        ("1e7", None),
        ("NaN", None),
        ("3 kW", None),
        ("", None),
    ],
)
def test_a_rating_is_believed_only_if_it_is_one(text: str, watts: int | None) -> None:
    assert machine(name="NO-0001", labels={"rated_watts": text}).rated_watts == watts


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(b""), "empty"),
        (reply(b"<!doctype html><p>Sign in"), "web page"),
        (reply({"status": "error", "errorType": "bad_data", "error": "parse\nerror"}, status=400), "parse error"),
        (reply({"status": "error", "error": "too many samples"}, status=422), "too many samples"),
        (reply({"status": "error", "error": "in a 200"}), "in a 200"),
        (reply(matrix() | {"warnings": ["remote read failed"]}), "partial: remote read failed"),
        (reply({"status": "success", "data": {"resultType": "vector", "result": []}}), "another shape"),
        (reply({"status": "success"}), "another shape"),
        (reply([]), "another shape"),
        (reply(matrix(outlet("NO-0001", ["now", "1"]))), "another shape"),
        (reply(matrix(outlet("NO-0001", [T]))), "another shape"),
        (reply(matrix()), "has none for any of 1 machines"),
    ],
)
def test_an_answer_that_is_no_data_is_a_failed_read(answer: httpx.Response, cause: str) -> None:
    with pytest.raises(FailedRead, match=re.escape(cause)):
        read(always(answer).source("norway"), "NO-0001")


def test_an_answer_cut_anywhere_is_a_failed_read_and_is_kept_as_it_came() -> None:
    whole = reply(matrix(outlet("NO-0001", [T, "1"], [T + 300, "26"]))).read()
    for cut in range(len(whole)):
        raw: list[Raw] = []
        source = always(reply(whole[:cut])).source("norway")
        with pytest.raises(FailedRead):
            list(source.samples(machines=["NO-0001"], window=WINDOW, keep_raw=raw.append))
        assert raw == [Raw(content=whole[:cut])]


def test_machines_are_asked_for_in_even_batches_and_an_empty_one_fails() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        names = re.findall(r"NO-\d+", form(request)["query"])
        asked.append(names)
        return reply(matrix(*[outlet(name, [T, "1"]) for name in names if name != missing]))

    asked: list[list[str]] = []
    missing = ""
    names = [f"NO-{n:04d}" for n in range(1001)]
    batches, raw = read(Wire(handler).source("norway"), *names)
    assert [len(batch) for batch in asked] == [334, 334, 333]
    assert sorted(name for batch in asked for name in batch) == names
    assert len(raw) == len(batches) == 3
    missing = "NO-0000"
    with pytest.raises(FailedRead, match="has none for any of 1 machines"):
        read(Wire(handler).source("norway"), "NO-0000")


def test_a_metric_without_a_known_unit_is_refused() -> None:
    wire = Wire(lambda _: reply(matrix(outlet("N", [T, "1.5"]))))
    for metric, expected in [("energy_kwh_total", 1500.0), ("energy_joules_total", 1.5 / 3600), ("energy_wh", 1.5)]:
        interface = PrometheusCounter(metric=metric, machine_label="machine", info_metric="machine_info")
        source = PrometheusSource(interface=interface, batch=10, http=wire.http(), clock=FixedClock())
        (samples,), _ = read(source, "N")
        assert samples.value.tolist() == pytest.approx([expected])
    interface = PrometheusCounter(metric="energy_total", machine_label="machine", info_metric="machine_info")
    with pytest.raises(FailedRead, match="no known unit of energy"):
        read(PrometheusSource(interface=interface, batch=10, http=wire.http(), clock=FixedClock()), "N")
