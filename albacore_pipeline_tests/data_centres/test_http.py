from __future__ import annotations

import dataclasses
import gzip
import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from albacore_pipeline.data_centres.endpoint import Endpoint
from albacore_pipeline.data_centres.http import HttpOptions, SiteHttp, status
from albacore_pipeline.data_centres.interface import FailedRead, Raw
from albacore_pipeline_tests.data_centres.wire import PASSWORD, Parts, Wire, always, reply


def read(wire: Wire, **options: object) -> bytes:
    return wire.http(**options).read(what="a test", path="/x").body


def failure(wire: Wire, **options: object) -> FailedRead:
    with pytest.raises(FailedRead) as caught:
        read(wire, **options)
    return caught.value


def in_turn(*answers: httpx.Response | Exception) -> Wire:
    left = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Wire(handler)


def test_an_answer_is_read_whole_and_unzipped() -> None:
    assert read(in_turn(reply(b"hello"))) == b"hello"
    assert read(in_turn(reply(b"hello" * 1000, zipped=True))) == b"hello" * 1000


def test_an_answer_is_handed_on_as_it_came_over_the_wire() -> None:
    zipped = reply(b"hello" * 1000, zipped=True)
    wire = b"".join(zipped.stream)  # type: ignore[arg-type]
    answer = always(zipped).http().read(what="a test", path="/x")
    assert answer.raw == Raw(content=b"hello" * 1000, gzipped=wire)
    assert always(reply(b"hello")).http().read(what="a test", path="/x").raw == Raw(content=b"hello")


def test_whatever_the_number_of_threads_one_request_at_a_time_is_under_way() -> None:
    under_way, most, together = 0, 0, threading.Event()

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        together.wait(0.02)  # time for another one to come in, if it could
        under_way -= 1
        return reply(b"ok")

    http = Wire(handler).http()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: http.read(what="a test", path="/x"), range(16)))
    assert most == 1


def test_a_wait_before_the_next_try_keeps_nobody_else_out() -> None:
    http = in_turn(reply(status=503), reply(b"ok")).http()
    meanwhile: list[bytes] = []
    http._options = dataclasses.replace(
        http._options, sleep=lambda _: meanwhile.append(http.read(what="another", path="/y").body)
    )
    assert http.read(what="a test", path="/x").body == b"ok"
    assert meanwhile == [b"ok"]


def test_waits_grow_at_random_and_are_bounded() -> None:
    waits = [wire.slept for wire in (always(reply(status=503)) for _ in range(20)) if failure(wire, attempts=8)]
    assert len({tuple(wait) for wait in waits}) == 20  # no two clients come back together
    assert all(0 <= wait <= min(2.0**number, 60) for slept in waits for number, wait in enumerate(slept))


def test_each_deadline_is_set_on_the_connection() -> None:
    wire = always(reply(b"ok"))
    read(wire, connect_seconds=3, read_seconds=7)
    assert wire.requests[0].extensions["timeout"] == {"connect": 3, "read": 7, "write": 7, "pool": 7}


def test_credentials_travel_in_the_header_alone() -> None:
    wire = in_turn(reply(b"ok"))
    read(wire)
    request = wire.requests[0]
    assert request.url == "http://site.test/base/x"
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "passing",
    [reply(status=500), reply(status=503), reply(status=429), httpx.ConnectError("refused"), httpx.ReadTimeout("slow")],
)
def test_a_passing_failure_is_tried_again_after_a_wait(passing: httpx.Response | Exception) -> None:
    wire = in_turn(passing, reply(b"ok"))
    assert read(wire) == b"ok"
    assert len(wire.requests) == 2
    assert len(wire.slept) == 1


def test_tries_are_bounded() -> None:
    wire = always(reply(b"broken\nhere", status=500))
    error = failure(wire, attempts=3)
    assert len(wire.requests) == 3
    assert str(error).startswith("norway: a test: HTTP 500: broken here; check ")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "99999999999999999999"}, 60.0),
        ({"retry-after": "Tue, 21 Oct 2025 07:28:30 GMT", "date": "Tue, 21 Oct 2025 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Tue, 21 Oct 2125 07:28:30 GMT", "date": "Tue, 21 Oct 2025 07:28:00 GMT"}, 60.0),
        ({"retry-after": "Tue, 21 Oct 2005 07:28:30 GMT", "date": "Tue, 21 Oct 2025 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_obeyed_and_capped(headers: dict[str, str], expected: float) -> None:
    wire = in_turn(reply(status=429, headers=headers), reply(b"ok"))
    read(wire)
    assert wire.slept == [expected]


@pytest.mark.parametrize("nonsense", ["-5", "soon", "", "²", "Tue, 21 Oct 2025 07:28:30 GMT"])
def test_a_retry_after_that_says_nothing_leaves_the_usual_wait(nonsense: str) -> None:
    wire = in_turn(reply(status=429, headers={"retry-after": nonsense} if nonsense.isascii() else {}), reply(b"ok"))
    read(wire)
    assert 0 <= wire.slept[0] <= 60


def test_a_command_is_sent_once_and_its_failure_warns_that_it_may_have_worked() -> None:
    for broken in (reply(status=500), httpx.ReadTimeout("slow"), httpx.ConnectError("refused")):
        wire = in_turn(broken)
        with pytest.raises(FailedRead, match="may have been carried out: read the power state"):
            wire.http().command(what="a test", path="/x", method="POST", accept=status(204))
        assert len(wire.requests) == 1
        assert wire.slept == []


def test_a_drip_ends_at_the_total_deadline() -> None:
    now = [0.0]

    def drip() -> None:
        now[0] += 4

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Parts([b"x"] * 1000, before_each=drip))

    error = failure(Wire(handler), attempts=1, total_seconds=20, monotonic=lambda: now[0])
    assert "no whole answer within 20 s" in str(error)
    assert now[0] == 24


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_too_large_is_refused_and_not_asked_for_again(zipped: bool) -> None:
    wire = always(reply(b"\0" * 100_000, zipped=zipped))
    assert "larger than 10000 bytes" in str(failure(wire, max_bytes=10_000))
    assert len(wire.requests) == 1


def test_an_answer_of_exactly_the_cap_is_let_in_and_one_more_is_not() -> None:
    assert "larger than" in str(failure(always(reply(b"\0" * 10_001, zipped=True)), max_bytes=10_000))
    assert len(read(in_turn(reply(b"\0" * 10_000, zipped=True)), max_bytes=10_000)) == 10_000


def test_a_zip_that_is_cut_or_damaged_is_refused() -> None:
    whole = gzip.compress(b"readings " * 50)
    for body in [whole[:n] for n in range(len(whole))] + [whole + b"x", b"\0" + whole]:
        wire = always(httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Parts([body])))
        assert "compressed answer" in str(failure(wire, attempts=1))


def test_a_body_shorter_than_declared_is_refused() -> None:
    wire = Wire(lambda _: httpx.Response(200, headers={"content-length": "6"}, stream=Parts([b"hello"])))
    assert "cut short" in str(failure(wire, attempts=1))


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    wire = in_turn(reply(b"hello", headers={"content-encoding": "br"}))
    assert "encoded as br" in str(failure(wire))


@pytest.mark.parametrize("target", ["http://elsewhere.test/x", "http://site.test/base/y", "//elsewhere.test"])
def test_no_redirect_is_followed(target: str) -> None:
    wire = in_turn(reply(status=307, headers={"location": target}))
    assert "redirect" in str(failure(wire))
    assert len(wire.requests) == 1


def test_refused_credentials_name_the_settings() -> None:
    wire = in_turn(reply(b"Unauthorized", status=401))
    assert "check NORWAY_USERNAME and NORWAY_PASSWORD" in str(failure(wire))
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"line\r\nbreak\x1b[31m" + b"x" * 5000, status=400),
        reply(status=401),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("peer closed"),
    ],
)
def test_an_error_is_one_short_line_without_secrets_even_in_its_causes(
    answer: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        error = failure(in_turn(answer), attempts=1)
    text = str(error)
    assert text.isprintable()
    assert len(text) < 500
    told = "".join(traceback.format_exception(error)) + caplog.text
    assert PASSWORD not in told
    link: BaseException | None = error
    while link is not None:
        assert not isinstance(link, httpx.HTTPError)  # its request holds the credentials
        link = link.__context__


def test_a_name_with_a_line_break_leaves_the_error_one_line() -> None:
    with pytest.raises(FailedRead) as caught:
        always(reply(status=404)).http().read(what="power of A\nB", path="/x")
    assert str(caught.value).startswith("norway: power of A B: HTTP 404")


def test_an_endpoint_hides_its_password_and_takes_none_in_its_url() -> None:
    assert PASSWORD not in repr(Endpoint(url="https://site.test", username="u", password=PASSWORD))
    for url in (
        f"https://u:{PASSWORD}@site.test",
        "site.test",
        "ftp://site.test",
        "https://site.test/?q=1",
        "http://a:b",
    ):
        with pytest.raises(ValueError, match="URL") as caught:
            Endpoint(url=url)
        assert PASSWORD not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_ends_the_connection(unvouched_server: str) -> None:
    endpoint = Endpoint(url=unvouched_server, username="billing", password=PASSWORD)
    http = SiteHttp(
        site="norway", prefix="NORWAY", endpoint=endpoint, failure=FailedRead, options=HttpOptions(attempts=1)
    )
    with pytest.raises(FailedRead, match="CERTIFICATE_VERIFY_FAILED"):
        http.read(what="a test", path="/")
