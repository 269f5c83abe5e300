"""Where a world says that it is reached.

Belongs here: `/sandbox/addresses`, and knowing a world's own values again once it is gone.
Does not belong here: what a pipeline does with them.
"""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

import httpx
import pytest

from albacore_pipeline_tests.sandbox.conftest import Outside
from albacore_sandbox.addresses import is_of

HERE = "http://127.0.0.1:4100"
SITES = ("NORWAY", "FINLAND", "ETHIOPIA", "INDONESIA")


@pytest.fixture(scope="module")
def variables(shared: Outside) -> dict[str, str]:
    named: dict[str, str] = shared.http.get("/sandbox/addresses").raise_for_status().json()["variables"]
    return named


def test_every_interface_is_named_and_all_lie_in_this_world(shared: Outside, variables: dict[str, str]) -> None:
    told = shared.http.get("/sandbox/addresses").json()

    urls = {name: value for name, value in variables.items() if name.endswith("_URL")}
    assert set(urls) == {
        *(f"{site}_URL" for site in SITES),
        *(f"{site}_CONTROL_URL" for site in SITES if site != "ETHIOPIA"),
        "XERO_API_URL", "XERO_TOKEN_URL", "SMTP_URL", "ALBACORE_CLOCK_URL",
    }  # fmt: skip
    assert sorted(urls.values()) == sorted(told["addresses"])
    assert urls.pop("SMTP_URL") == shared.running.smtp_url
    assert {f"http://{urlsplit(url).netloc}" for url in urls.values()} == {shared.running.url}


def test_the_named_credentials_open_what_they_are_named_for(variables: dict[str, str]) -> None:
    def login(site: str) -> tuple[str, str]:
        return variables[f"{site}_USERNAME"], variables[f"{site}_PASSWORD"]

    hosts = {"db": "site", "q": "SHOW TAG VALUES FROM power WITH KEY = host"}
    opened = [
        httpx.get(f"{variables['NORWAY_URL']}/api/v1/query?query=up", auth=login("NORWAY")),
        httpx.get(f"{variables['INDONESIA_URL']}/api/v1/export?match[]=up", auth=login("INDONESIA")),
        httpx.get(f"{variables['ETHIOPIA_URL']}/query", params=hosts, auth=login("ETHIOPIA")),
        httpx.get(f"{variables['NORWAY_CONTROL_URL']}/redfish/v1/Systems", auth=login("NORWAY_CONTROL")),
        httpx.get(f"{variables['INDONESIA_CONTROL_URL']}/v1/nodes", auth=login("INDONESIA_CONTROL")),
        httpx.post(
            variables["XERO_TOKEN_URL"],
            auth=(variables["XERO_CLIENT_ID"], variables["XERO_CLIENT_SECRET"]),
            data={"grant_type": "client_credentials", "scope": "accounting.settings.read"},
        ),
        httpx.get(variables["ALBACORE_CLOCK_URL"]),
    ]

    assert [answer.status_code for answer in opened] == [200] * len(opened)
    bearer = {"Authorization": f"Bearer {opened[5].json()['access_token']}"}
    connections = httpx.get(variables["XERO_API_URL"].replace("/api.xro/2.0", "/connections"), headers=bearer).json()
    assert [one["tenantId"] for one in connections] == [variables["ALBACORE_XERO_TENANT_ID"]]


def test_the_named_token_and_session_open_zabbix(variables: dict[str, str]) -> None:
    def ask(method: str, params: object, auth: str | None, url: str) -> httpx.Response:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, "auth": auth}
        return httpx.post(f"{url}/api_jsonrpc.php", json=call)

    login = {"username": variables["FINLAND_CONTROL_USERNAME"], "password": variables["FINLAND_CONTROL_PASSWORD"]}
    hosts = ask("host.get", {"output": ["host"]}, variables["FINLAND_PASSWORD"], variables["FINLAND_URL"]).json()
    session = ask("user.login", login, None, variables["FINLAND_CONTROL_URL"]).json()

    assert hosts["result"][0]["host"].startswith("FI-")
    assert isinstance(session["result"], str)


def test_the_mailbox_takes_no_mail_from_strangers(shared: Outside) -> None:
    relay_url = urlsplit(shared.running.smtp_url)
    with smtplib.SMTP(str(relay_url.hostname), relay_url.port or 0, timeout=5) as relay:
        relay.ehlo()
        with pytest.raises(smtplib.SMTPAuthenticationError):
            relay.login(str(relay_url.username), "guessed")
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            relay.sendmail("a@albacore.example", "b@albacore.example", b"Subject: x\r\n\r\nx")
    assert refused.value.smtp_code == 530


def test_a_world_s_values_are_known_again_when_it_is_gone(shared: Outside, variables: dict[str, str]) -> None:
    known = {name for name, value in variables.items() if is_of(shared.running.url, name=name, value=value)}

    assert known == set(variables)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NORWAY_URL", "http://127.0.0.1:4101/norway"),
        ("NORWAY_URL", "http://127.0.0.1:4100/norway/"),
        ("NORWAY_URL", "http://127.0.0.1:4100/finland"),
        ("NORWAY_URL", "https://prometheus.norway.example"),
        ("ETHIOPIA_CONTROL_URL", "http://127.0.0.1:4100/ethiopia-control"),
        ("XERO_CLIENT_ID", "somebody"),
        ("SMTP_URL", "smtp://127.0.0.1:25"),
        ("SMTP_URL", "smtp://somebody:secret@127.0.0.1:4102"),
        ("SMTP_URL", "smtps://relay.example:465"),
        ("SMTP_URL", ""),
        ("MAIL_FROM", "billing@albacore.example"),
    ],
)
def test_what_a_person_set_is_no_world_s(name: str, value: str) -> None:
    assert not is_of(HERE, name=name, value=value)
