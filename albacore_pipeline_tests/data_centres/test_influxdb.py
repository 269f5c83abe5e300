from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from albacore_pipeline.data_centres.interface import FailedRead, Machine, Meaning
from albacore_pipeline_tests.data_centres.wire import END, START, Wire, always, form, ms, read, reply, table

T = ms(START)


def power(host: str, *values: list[Any], more: bool = False, **tags: str) -> dict[str, Any]:
    series = {"name": "power", "tags": {"host": host} | tags, "columns": ["time", "watts"], "values": list(values)}
    return series | ({"partial": True} if more else {})


def documents(*series: dict[str, Any]) -> bytes:
    """One document a piece, as `chunked=true` has it: all but the last say that more follows."""
    last = len(series) - 1
    results = [
        {"statement_id": 0, "series": [one]} | ({"partial": True} if n < last else {}) for n, one in enumerate(series)
    ]
    return b"".join(json.dumps({"results": [result]}).encode() + b"\n" for result in results)


def test_pieces_of_a_series_join_and_feeds_stay_apart() -> None:
    body = documents(
        power("ET-0001", [T, 1000], more=True, feed="a"),
        power("ET-0001", [T + 300_000, 1100.5], feed="a"),
        power("ET-0001", [T, 900], feed="b"),
    )
    wire = always(reply(body, zipped=True))
    (samples,), raw = read(wire.source("ethiopia"), "ET-0001")
    assert samples.meaning is Meaning.GAUGE_W
    assert samples.machines == ["ET-0001", "ET-0001"]
    assert table(samples) == [("ET-0001", T, 900.0), ("ET-0001", T, 1000.0), ("ET-0001", T + 300_000, 1100.5)]
    assert raw == [body]


def test_the_query_names_exactly_the_machines_and_the_closed_window() -> None:
    wire = Wire(lambda _: reply(documents(power("a/b.c", [T, 1]))))
    read(wire.source("ethiopia"), "a/b.c", "ET-0001")
    asked = form(wire.requests[0])
    assert asked["q"] == (
        f'SELECT "watts" FROM "power" WHERE time >= {T}ms AND time <= {ms(END)}ms'
        ' AND "host" =~ /^(a\\/b\\.c|ET-0001)$/ GROUP BY *'
    )
    assert (asked["db"], asked["epoch"], asked["chunked"]) == ("site", "ms", "true")


def test_what_can_be_no_reading_is_refused_and_the_rest_kept() -> None:
    odd = power("ET-0001", [T, None], [T + 1, "900"], [T + 2, -5], [T + 3, True], [T + 4, 800])
    (samples,), _ = read(Wire(lambda _: reply(documents(odd))).source("ethiopia"), "ET-0001")
    assert table(samples) == [("ET-0001", T + 4, 800.0)]
    assert sorted(r.reason for r in samples.refused) == ["negative", *["not a number"] * 3]


def test_machines_are_described_ones_and_ever_seen_ones() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        query = form(request)["q"]
        if query.startswith("SHOW"):
            assert query == 'SHOW TAG VALUES FROM "power" WITH KEY = "host"'
            seen = {"name": "power", "columns": ["key", "value"], "values": [["host", "ET-0003"], ["host", "ET-0001"]]}
            return reply(documents(seen))
        assert query == (
            f'SELECT LAST("rated_watts") FROM "machine_info" WHERE time <= {ms(END)}ms'
            ' GROUP BY "host", "serial", "model"'
        )
        described = [
            {
                "name": "machine_info",
                "tags": {"host": "ET-0001", "serial": serial, "model": ""},
                "columns": ["time", "last"],
                "values": [[at, watts]],
            }
            for serial, at, watts in [("a-new", T, 3300), ("z-old", T - 9, 3250.0)]
        ]
        return reply(documents(*described))

    assert Wire(handler).source("ethiopia").machines(as_of=END) == [
        Machine(name="ET-0001", serial="a-new", rated_watts=3300),
        Machine(name="ET-0003"),
    ]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(b""), "empty or lacks its end"),
        (reply(b"<html>"), "web page"),
        (reply({"error": "error parsing query"}, status=400), "error parsing query"),
        (reply({"results": [{"statement_id": 0, "error": "timeout"}]}), "InfluxDB says: timeout"),
        (reply({"results": []}), "empty or lacks its end"),
        (reply({"results": [{"statement_id": 0}]}), "has none for any of 1 machines"),
        (reply({"results": [{"series": [power("ET-0001", [T, 1])], "partial": True}]}), "lacks its end"),
        (reply({"results": {}}), "another shape"),
        (reply(documents(power("ET-0001", ["2025-10-20T22:00:00Z", 1]))), "another shape"),
    ],
)
def test_an_answer_that_is_no_data_is_a_failed_read(answer: httpx.Response, cause: str) -> None:
    with pytest.raises(FailedRead, match=re.escape(cause)):
        read(always(answer).source("ethiopia"), "ET-0001")


def test_an_answer_cut_anywhere_is_a_failed_read_between_documents_too() -> None:
    whole = documents(power("ET-0001", [T, 1000]), power("ET-0002", [T, 1100])).rstrip()
    for cut in range(len(whole)):
        source = always(reply(whole[:cut])).source("ethiopia")
        with pytest.raises(FailedRead):
            read(source, "ET-0001", "ET-0002")
