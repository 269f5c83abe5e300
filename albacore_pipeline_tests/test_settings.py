"""The law that a played world reaches nothing real, and the reading of settings that it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import pytest
from pydantic import BaseModel, SecretStr

from albacore_pipeline.settings import (
    PROJECT,
    Settings,
    SettingsError,
    SiteSettings,
    control_reach,
    energy_reach,
    is_outward,
    only_the_sandbox,
)
from albacore_pipeline_tests.answering import answering

PLACE = "http://127.0.0.1:4100"
OURS = {
    "NORWAY_URL": f"{PLACE}/norway",
    "NORWAY_CONTROL_URL": f"{PLACE}/norway-control",
    "FINLAND_URL": f"{PLACE}/finland",
    "FINLAND_CONTROL_URL": f"{PLACE}/finland",
    "ETHIOPIA_URL": f"{PLACE}/ethiopia",
    "INDONESIA_URL": f"{PLACE}/indonesia",
    "INDONESIA_CONTROL_URL": f"{PLACE}/indonesia-control",
    "XERO_API_URL": f"{PLACE}/xero/api.xro/2.0",
    "XERO_TOKEN_URL": f"{PLACE}/xero/connect/token",
    "SMTP_URL": "smtp://mail:demo-mail@127.0.0.1:4101",
    "ALBACORE_CLOCK_URL": f"{PLACE}/sandbox/clock",
}
REAL = {
    **{name: f"https://{name.lower().replace('_', '-')}.example" for name in OURS},
    "ETHIOPIA_CONTROL_URL": "https://pdu.ethiopia.example",  # a real one where the sandbox has none
    "SMTP_URL": "smtps://somebody:secret@relay.example:465",
}
BOUNCES = {"ALBACORE_BOUNCES_URL": "imaps://somebody:secret@mail.example/INBOX"}
ARCHIVES = {"": True, "/var/lib/albacore/archive": True, "file:///var/lib/albacore": True, "s3://albacore/raw": False}

# Every setting that is a text and yet no address to which something leaves.
NO_ADDRESS = {
    "ALBACORE_REGISTRY", "ALBACORE_SANDBOX_URL", "ALBACORE_LIVE_FROM", "ALBACORE_XERO_TENANT_ID", "XERO_CLIENT_ID",
    "XERO_CLIENT_SECRET", "XERO_SALES_ACCOUNT", "XERO_WEBHOOK_KEY", "MAIL_FROM",
    "ALBACORE_ARCHIVE",  # held to the law by a rule of its own: a local path
    "ALBACORE_DATABASE_URL", "ALBACORE_DAGSTER_DATABASE_URL",  # a world's memory, and nothing outside of it
    "username", "password", "control_username", "control_password",
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """Where a sandbox names OURS."""
    with answering(json.dumps({"addresses": list(OURS.values())}).encode()) as (url, _):
        yield url


def lawful(environment: dict[str, str]) -> str:
    """Empty if the law lets these variables pass, else what it says."""
    try:
        only_the_sandbox(Settings.as_given(environment), environment)
    except SettingsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("archive", ARCHIVES)
def test_in_a_played_world_no_combination_with_anything_real_passes(archive: str, sandbox: str) -> None:
    names = sorted({*OURS, *REAL})
    for choice in product((OURS, REAL), repeat=len(names)):
        given = {name: world[name] for name, world in zip(names, choice, strict=True) if name in world}
        real = {name for name in given if given[name] == REAL[name]}
        said = lawful({"ALBACORE_SANDBOX_URL": sandbox, "ALBACORE_ARCHIVE": archive, **given})
        assert (said == "") == (not real and ARCHIVES[archive]), given
        if real:
            assert said.split()[0] in real
        assert "secret" not in said


def test_in_a_played_world_no_real_mailbox_is_read(sandbox: str) -> None:
    played = {"ALBACORE_SANDBOX_URL": sandbox, **OURS}

    assert lawful(played) == lawful(BOUNCES) == ""
    said = lawful(played | BOUNCES)
    assert said.startswith("ALBACORE_BOUNCES_URL does not lead to the sandbox")
    assert "secret" not in said


@pytest.mark.parametrize("archive", ARCHIVES)
def test_in_a_real_world_every_combination_passes_but_for_a_played_clock(archive: str) -> None:
    """Addresses on loopback are no sign of a sandbox: a real proxy may listen there."""
    names = sorted({*OURS, *REAL} - {"ALBACORE_CLOCK_URL"})
    for choice in product((OURS, REAL), repeat=len(names)):
        given = {name: world[name] for name, world in zip(names, choice, strict=True) if name in world}
        given["ALBACORE_ARCHIVE"] = archive
        assert lawful(given) == ""
        assert lawful(given | {"ALBACORE_CLOCK_URL": OURS["ALBACORE_CLOCK_URL"]}).startswith("ALBACORE_CLOCK_URL is")


@pytest.mark.parametrize("name", sorted(OURS))
def test_in_a_played_world_what_is_not_set_is_off_and_never_the_real_one(name: str, sandbox: str) -> None:
    """Xero's address has the real one as its default, and the time has the machine's own."""
    without = {other: value for other, value in OURS.items() if other != name}

    said = lawful({"ALBACORE_SANDBOX_URL": sandbox, **without})

    must = {"XERO_API_URL", "XERO_TOKEN_URL", "ALBACORE_CLOCK_URL"}
    assert (said.split()[0] if said else "") == (name if name in must else "")


def test_the_refusal_says_how_to_mend_it(sandbox: str) -> None:
    said = lawful({"ALBACORE_SANDBOX_URL": sandbox, **OURS, "SMTP_URL": REAL["SMTP_URL"]})

    assert said == (
        "SMTP_URL does not lead to the sandbox, and with ALBACORE_SANDBOX_URL set nothing else is reached:"
        ' unset SMTP_URL and eval "$(albacore env)", or begin a new shell for the real world'
    )


def _texts(model: type[BaseModel]) -> Iterator[tuple[str, bool]]:
    """Each setting that is a text, and whether it is marked as an address."""
    for name, field in model.model_fields.items():
        if field.annotation in (str, SecretStr):
            yield field.alias or name, is_outward(field)


def test_no_setting_that_holds_an_address_is_forgotten() -> None:
    """A new setting is either marked as an address, and so held to the law, or named in NO_ADDRESS."""
    texts = {name: marked for model in (Settings, SiteSettings) for name, marked in _texts(model)}
    others = {field.annotation for model in (Settings, SiteSettings) for field in model.model_fields.values()}

    assert {name for name, marked in texts.items() if not marked} == NO_ADDRESS
    assert {name for name, marked in texts.items() if marked} == {
        "XERO_API_URL", "XERO_TOKEN_URL", "SMTP_URL", "ALBACORE_BOUNCES_URL", "ALBACORE_CLOCK_URL",
        "url", "control_url",
    }  # fmt: skip
    assert not [kind for kind in others if "list" in str(kind) or "tuple" in str(kind) or "dict" in str(kind)]


def test_a_site_that_is_none_of_ours_is_held_to_the_law_where_it_is_reached(sandbox: str) -> None:
    settings = Settings.as_given({"ALBACORE_SANDBOX_URL": sandbox, **OURS})
    iceland = {"ICELAND_URL": "https://prometheus.iceland.example", "ICELAND_CONTROL_URL": "https://bmc.example"}

    for reach in (energy_reach, control_reach):
        with pytest.raises(SettingsError, match="ICELAND_URL does not lead to the sandbox"):
            reach(site="iceland", settings=settings, environment=iceland)


def test_settings_for_use_ask_the_sandbox_once_in_a_process() -> None:
    with answering(json.dumps({"addresses": list(OURS.values())}).encode()) as (url, asked):
        for _ in range(3):
            assert Settings.from_environment({**OURS, "ALBACORE_SANDBOX_URL": url}).sandbox_url == url
        with pytest.raises(SettingsError, match="NORWAY_URL does not lead to the sandbox"):
            Settings.from_environment({**OURS, "NORWAY_URL": REAL["NORWAY_URL"], "ALBACORE_SANDBOX_URL": url})

    assert asked == ["/sandbox/addresses"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{}", 200), (b"[]", 200), (b"<html>", 200), (b'{"addresses": 7}', 200), (b"{}", 404)]
)
def test_what_is_no_sandbox_is_not_taken_for_one(body: bytes, status: int) -> None:
    with answering(body, status) as (url, _), pytest.raises(SettingsError, match="ALBACORE_SANDBOX_URL"):
        Settings.from_environment({**OURS, "ALBACORE_SANDBOX_URL": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://"])
def test_a_sandbox_that_does_not_answer_is_one_line_with_the_mend(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({**OURS, "ALBACORE_SANDBOX_URL": url})

    assert str(refused.value) == (
        'ALBACORE_SANDBOX_URL: no sandbox answers there: eval "$(albacore env)" starts it again,'
        " or begin a new shell for the real world"
    )


def test_only_a_command_that_sets_them_anew_works_with_settings_that_were_not_held_to_the_law() -> None:
    package = PROJECT / "albacore_pipeline"
    users = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "Settings.as_given" in path.read_text() and path.name != "settings.py"
    }

    assert users == {"cli/home.py", "cli/running.py"}


def test_every_variable_stands_in_the_readme() -> None:
    table = (PROJECT / "README.md").read_text().partition("## Settings")[2]
    own = [str(field.alias) for field in Settings.model_fields.values()]
    sites = [f"<SITE>_{name.upper()}" for name in SiteSettings.model_fields]

    assert [name for name in [*own, *sites] if f"`{name}`" not in table] == []
