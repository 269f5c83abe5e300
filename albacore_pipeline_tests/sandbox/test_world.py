"""The world itself: its clock, memory, faults, mailbox and registry files.

Belongs here: what lies under `/sandbox`, and the process.
Does not belong here: the interfaces.
"""

from __future__ import annotations

import csv
import os
import signal
import smtplib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from albacore_pipeline.registry.files import read_registry
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.sandbox.conftest import CONTROL, ENERGY, Outside
from albacore_pipeline_tests.sandbox.test_energy import influx, rpc
from albacore_sandbox import process


def now(world: Outside) -> datetime:
    return datetime.fromisoformat(world.http.get("/sandbox/clock").json()["now"])


def counters(world: Outside, machine: str, end: str, hours: int) -> list[tuple[float, float]]:
    params = {"query": f'pdu_outlet_energy_wh_total{{machine="{machine}"}}[{hours}h]', "time": end}
    result = world.http.get("/norway/api/v1/query", params=params, auth=ENERGY).json()["data"]["result"]
    return [(at, float(text)) for at, text in result[0]["values"]] if result else []


def mail(world: Outside, *, to: str, message_id: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "accounts@albacore.example", to, "Påminnelse"
    message["Message-ID"] = message_id
    message.set_content("Please pay.")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="statement.pdf")
    place = urlsplit(world.running.smtp_url)
    with smtplib.SMTP(str(place.hostname), place.port or 0, timeout=5) as relay:
        relay.login(str(place.username), str(place.password))
        relay.send_message(message)


def test_the_clock_begins_in_october_and_moves_forward_only(world: Outside) -> None:
    begin = now(world)
    assert begin.date() == date(2025, 10, 1)
    world.http.post("/sandbox/clock", json={"days": 3}).raise_for_status()
    assert 3 * 86_400 <= (now(world) - begin).total_seconds() < 3 * 86_400 + 60
    back = world.http.post("/sandbox/clock", json={"to": "2025-10-02T00:00:00Z"})
    assert back.status_code == 400 and "only moves forward" in back.json()["error"]
    world.http.post("/sandbox/clock", json={"to": "2200-01-01T00:00:00Z"}).raise_for_status()
    assert abs((now(world) - datetime.now(UTC)).total_seconds()) < 5


def test_everything_survives_kill_minus_nine(world: Outside) -> None:
    world.move_to("2025-10-05T08:00:00Z")
    xero = world.xero()
    contact = {"Contacts": [{"Name": "Fjellvind Compute", "ContactNumber": "c01"}]}
    contact_id = xero.put("/Contacts", json=contact).raise_for_status().json()["Contacts"][0]["ContactID"]
    world.http.put("/indonesia-control/v1/nodes/ID-0001/states/power", json={"target": "power off"}, auth=CONTROL)
    mail(world, to="billing@fjellvind.example", message_id="<one@albacore.example>")
    world.fault(kind="gap", machine="NO-0002", start="2025-10-01T00:00:00Z", end="2025-10-02T00:00:00Z")
    world.move_on(seconds=3)
    before, truth = now(world), world.truth("indonesia", "2025-10-05T00:00:00Z", "2025-10-05T08:00:00Z")
    os.kill(world.running.pid, signal.SIGKILL)
    os.waitpid(world.running.pid, 0)
    assert process.running(home=world.home) is None
    again = process.start(home=world.home)
    assert (again.url, again.smtp_url) == (world.running.url, world.running.smtp_url)
    assert 0 <= (now(world) - before).total_seconds() < 60
    assert xero.get(f"/Contacts/{contact_id}").json()["Contacts"][0]["ContactNumber"] == "c01"
    status = world.http.get("/sandbox/status").json()
    assert (status["counts"]["mails"], status["counts"]["machines_off"], len(status["faults"])) == (1, 1, 1)
    assert world.truth("indonesia", "2025-10-05T00:00:00Z", "2025-10-05T08:00:00Z") == truth


def test_a_second_start_finds_the_first_and_stop_ends_it(world: Outside) -> None:
    assert process.start(home=world.home) == world.running
    assert process.stop(home=world.home) is True
    assert process.stop(home=world.home) is False
    assert process.running(home=world.home) is None
    assert (world.home / "sandbox.log").read_text() == ""


def test_the_same_seed_makes_the_same_truth(world: Outside, shared: Outside) -> None:
    span = ("norway", "2025-10-01T00:00:00Z", "2025-10-02T00:00:00Z")
    assert world.truth(*span) == shared.truth(*span)


def test_a_reset_counter_loses_no_energy(world: Outside) -> None:
    world.move_to("2025-10-04T00:00:00Z")
    plain = counters(world, "NO-0007", "2025-10-03T00:00:00Z", 4)
    world.fault(kind="counter_reset", machine="NO-0007", at="2025-10-02T22:00:00Z")
    reset = counters(world, "NO-0007", "2025-10-03T00:00:00Z", 4)
    steps, shown = (np.diff([value for _, value in each]) for each in (plain, reset))
    fall = int(np.flatnonzero(shown < 0)[0])
    shown[fall] = reset[fall + 1][1]
    assert shown == pytest.approx(steps, abs=0.01) and np.count_nonzero(np.diff([v for _, v in reset]) < 0) == 1
    assert counters(world, "NO-0008", "2025-10-03T00:00:00Z", 4)[0][1] > 1000


def test_gaps_hide_and_corrections_change(world: Outside) -> None:
    world.move_to("2025-10-14T00:00:00Z")
    world.fault(kind="gap", machine="NO-0003", start="2025-10-02T00:00:00Z", end="2025-10-02T02:00:00Z")
    assert len(counters(world, "NO-0003", "2025-10-02T04:00:00Z", 4)) == 24
    span = ("finland", "2025-10-12T00:00:00Z", "2025-10-12T12:00:00Z")
    before = world.truth(*span)
    world.fault(kind="correction", machine="FI-0003", day="2025-10-12", factor=0.8)
    after = world.truth(*span)
    assert sum(after["FI-0003"]) == pytest.approx(0.8 * sum(before["FI-0003"]), rel=1e-4)
    assert after["FI-0004"] == before["FI-0004"]
    assert world.http.delete("/sandbox/faults").json() == {"removed": 2}
    assert world.truth(*span) == before


def test_late_days_arrive(world: Outside) -> None:
    world.move_to("2025-10-10T00:00:00Z")
    when = "time >= '2025-10-01T21:00:00Z' AND time < '2025-10-02T21:00:00Z'"
    text = f'SELECT "watts" FROM "power" WHERE {when} GROUP BY "host"'

    def readings() -> int:
        series = influx(world, text, epoch="ms").json()["results"][0].get("series", [])
        return sum(len(each["values"]) for each in series)

    assert readings() == 50 * 288
    world.fault(kind="late", site="ethiopia", day="2025-10-02", until="2025-10-11T00:00:00Z")
    assert readings() == 0
    world.move_to("2025-10-11T00:00:01Z")
    assert readings() == 50 * 288


def test_the_poor_link_brings_some_days_late_and_all_within_a_week(world: Outside) -> None:
    text = 'SELECT "watts" FROM "power" WHERE time >= \'{0}T21:00:00Z\' AND time < \'{1}T21:00:00Z\' GROUP BY "host"'
    counts = []
    for day in range(2, 22):
        world.move_to(f"2025-10-{day + 1:02d}T01:00:00Z")
        series = influx(world, text.format(f"2025-10-{day - 1:02d}", f"2025-10-{day:02d}"), epoch="s").json()
        counts.append(sum(len(each["values"]) for each in series["results"][0].get("series", [])))
    assert 10 <= counts.count(50 * 288) < 20
    world.move_to("2025-10-29T00:00:00Z")
    everything = influx(world, text.format("2025-10-01", "2025-10-21"), epoch="s").json()["results"][0]["series"]
    assert {len(each["values"]) for each in everything} == {20 * 288}


def test_requests_fail_as_asked(world: Outside) -> None:
    world.move_to("2025-10-05T00:00:00Z")

    def ask(time: str) -> httpx.Response:
        params = {"query": 'pdu_outlet_energy_wh_total{machine="NO-0001"}[30h]', "time": time}
        return world.http.get("/norway/api/v1/query", params=params, auth=ENERGY)

    world.fault(kind="outage", target="norway", day="2025-10-02")
    with pytest.raises(httpx.TransportError):
        ask("2025-10-03T01:00:00Z")
    assert ask("2025-10-04T01:00:00Z").status_code == 200
    world.http.delete("/sandbox/faults")
    world.fault(kind="http_500", target="norway", count=1)
    assert [ask("2025-10-03T01:00:00Z").status_code for _ in range(2)] == [500, 200]
    whole = ask("2025-10-03T01:00:00Z").content
    checks: dict[str, Callable[[httpx.Response], bool]] = {
        "truncated": lambda a: a.content == whole[: len(whole) // 2],
        "html": lambda a: a.headers["content-type"].startswith("text/html"),
        "empty": lambda a: a.content == b"",
        "error_in_200": lambda a: a.json()["status"] == "error",
        "empty_result": lambda a: a.json()["data"]["result"] == [],
    }
    for kind, check in checks.items():
        world.fault(kind=kind, target="norway", count=1)
        answer = ask("2025-10-03T01:00:00Z")
        assert answer.status_code == 200 and check(answer), kind
    world.fault(kind="http_429", target="norway", count=1, retry_after=7)
    assert ask("2025-10-03T01:00:00Z").headers["retry-after"] == "7"
    assert world.http.post("/sandbox/faults", json={"kind": "flood"}).status_code == 400
    world.fault(kind="error_in_200", target="finland", count=1)
    assert "error" in rpc(world, "host.get", {})


def test_mail_is_kept_once_refused_and_bounced(world: Outside) -> None:
    for _ in range(2):
        mail(world, to="billing@fjellvind.example", message_id="<two@albacore.example>")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail(world, to="refused@fjellvind.example", message_id="<three@albacore.example>")
    kept = world.http.get("/sandbox/mail", params={"to": "billing@fjellvind.example"}).json()["mails"]
    assert [(m["message_id"], m["subject"], m["text"].strip(), m["attachments"], m["bounced"]) for m in kept] == [
        ("<two@albacore.example>", "Påminnelse", "Please pay.", ["statement.pdf"], False)
    ]
    world.http.post("/sandbox/mail/bounce", json={"message_id": "<two@albacore.example>"}).raise_for_status()
    assert world.http.get("/sandbox/mail").json()["mails"][0]["bounced"] is True
    assert world.http.get("/sandbox/mail", params={"since": "2025-11-01T00:00:00Z"}).json()["mails"] == []


def test_mail_fails_as_asked(world: Outside) -> None:
    world.fault(kind="http_500", target="mail", count=1)
    with pytest.raises(smtplib.SMTPDataError):
        mail(world, to="billing@fjellvind.example", message_id="<four@albacore.example>")
    assert world.http.get("/sandbox/mail").json()["mails"] == []
    world.fault(kind="lost_answer", target="mail", count=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        mail(world, to="billing@fjellvind.example", message_id="<four@albacore.example>")
    assert len(world.http.get("/sandbox/mail").json()["mails"]) == 1


def test_registry_files_fit_the_world(shared: Outside, tmp_path: Path) -> None:
    shared.http.post("/sandbox/registry", json={"dir": str(tmp_path)}).raise_for_status()
    tables = {}
    for name in ("customers", "assignments", "tariffs"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8") as file:
            tables[name] = list(csv.DictReader(file))
    customers = {row["customer"]: row for row in tables["customers"]}
    assert {row["kind"] for row in tables["tariffs"]} == {"flat", "tiered", "time_of_use", "indexed"}
    assert list(customers) == [f"c{n:02d}" for n in range(1, 13)]
    assert all(row["entity"] == ("ALB" if row["currency"] == "NOK" else "ALH") for row in customers.values())
    spans: dict[str, list[dict[str, str]]] = {}
    for row in tables["assignments"]:
        spans.setdefault(row["machine"], []).append(row)
    machines = set(shared.http.get("/sandbox/power").json())
    assert machines - set(spans) == {"NO-0050"}
    for rows in spans.values():
        for earlier, later in pairwise(rows):
            assert (date.fromisoformat(later["from_day"]) - date.fromisoformat(earlier["to_day"])).days == 1
        assert rows[-1]["to_day"] == "" and rows[0]["from_day"] <= "2025-10-01"
    handovers = [rows for rows in spans.values() if len({row["customer"] for row in rows}) > 1]
    states = Counter(row["state"] for row in tables["assignments"])
    assert (len(handovers), states["repair"], states["free"]) == (10, 2, 1)
    debtor = Counter(row["site"] for row in tables["assignments"] if row["customer"] == "c04")
    assert debtor == {"norway": 3, "finland": 3, "ethiopia": 3, "indonesia": 3}
    needed = {(row["site"], customers[row["customer"]]["currency"]) for row in tables["assignments"]}
    assert needed <= {(row["site"], row["currency"]) for row in tables["tariffs"] if not row["customer"]}


def test_a_machine_is_handed_over_from_a_day_on_in_the_registry_that_is_written_next(
    world: Outside, tmp_path: Path
) -> None:
    def rows(machine: str) -> list[tuple[str, str, str]]:
        world.http.post("/sandbox/registry", json={"dir": str(tmp_path)}).raise_for_status()
        with (tmp_path / "assignments.csv").open(encoding="utf-8") as file:
            found = [row for row in csv.DictReader(file) if row["machine"] == machine]
        return [(row["customer"], row["from_day"], row["to_day"]) for row in found]

    def hand_over(machine: str, customer: str, from_day: str) -> httpx.Response:
        asked = {"machine": machine, "customer": customer, "from_day": from_day}
        return world.http.post("/sandbox/registry/handover", json=asked)

    ((before, since, _),) = rows("NO-0002")
    for _ in range(2):  # asked twice it is one handover
        hand_over("NO-0002", "c09", "2025-12-16").raise_for_status()
        hand_over("NO-0050", "c04", "2025-11-01").raise_for_status()
    assert rows("NO-0002") == [(before, since, "2025-12-15"), ("c09", "2025-12-16", "")]
    assert rows("NO-0050") == [("c04", "2025-11-01", "")], "it was nobody's"
    assert read_registry(tmp_path).notes == []
    assert hand_over("NO-9999", "c09", "2025-12-16").json() == {"error": "there is no machine NO-9999"}
    assert hand_over("NO-0002", "c99", "2025-12-16").json() == {"error": "there is no customer c99"}
    assert hand_over("NO-0002", "c09", "soon").status_code == 400


def test_the_registry_reads_what_the_world_wrote(shared: Outside, tmp_path: Path) -> None:
    shared.http.post("/sandbox/registry", json={"dir": str(tmp_path)}).raise_for_status()
    registry = read_registry(tmp_path)
    assert registry.notes == []
    hours = [row.hour_start for row in registry.prices]
    assert hours[0] == utc("2025-08-31T22:00") and hours[-1] == utc("2026-12-31T22:00")
    assert {later - earlier for earlier, later in pairwise(hours)} == {timedelta(hours=1)}
    assert min(row.price_per_kwh for row in registry.prices) < 0
