"""A command works in the sandbox's world or in the real one: it tells them apart, and never mixes them."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from albacore_pipeline.cli import world
from albacore_pipeline.database import embedded
from albacore_pipeline.settings import SettingsError
from albacore_pipeline_tests.cli.test_commands import NOWHERE, SECRET, run
from albacore_sandbox.addresses import mailbox_url, variables

GONE = variables(url="http://127.0.0.1:4100", smtp_url=mailbox_url(4101)) | {
    "ALBACORE_SANDBOX_URL": "http://127.0.0.1:4100",
    "ALBACORE_EFFECTS": "live",
    "ALBACORE_REGISTRY": "/elsewhere/sandbox/registry",
}
REAL = {
    "NORWAY_URL": f"http://{NOWHERE}/norway",
    "ETHIOPIA_URL": "https://influx.ethiopia.example",
    "FINLAND_CONTROL_URL": "https://zabbix.finland.example",
    "ETHIOPIA_CONTROL_URL": "https://pdu.ethiopia.example",
    "XERO_CLIENT_ID": "a-real-one",
    "XERO_API_URL": "https://api.xero.com/api.xro/2.0",
    "XERO_TOKEN_URL": "https://identity.xero.com/connect/token",
    "SMTP_URL": f"smtp://somebody:{SECRET}@127.0.0.1:25",
}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell in which nothing is configured."""
    for name in [*GONE, *REAL]:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@dataclass
class Homes:
    """Homes below a folder; what runs for them is ended with the test."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> str:
        self.names.append(name)
        return str(self.folder / name)


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    homes = Homes(tmp_path)
    yield homes
    for name in homes.names:
        run("down", folder=tmp_path, ALBACORE_HOME=str(tmp_path / name))
        embedded.remove(home=tmp_path / name)


def exported(text: str) -> dict[str, str]:
    """What `albacore env` prints, as a shell reads it."""
    words = (shlex.split(line) for line in text.splitlines())
    return dict(word.split("=", 1) for export, word in words if export == "export")


def test_where_nothing_is_configured_nothing_is_real(shell: pytest.MonkeyPatch) -> None:
    assert world.real_variables() == []


def test_the_values_of_a_sandbox_that_is_gone_are_not_taken_for_real(shell: pytest.MonkeyPatch) -> None:
    for name, value in GONE.items():
        shell.setenv(name, value)

    assert world.real_variables() == []


@pytest.mark.parametrize("name", sorted(REAL))
def test_any_real_site_control_xero_or_relay_makes_the_world_real(name: str, shell: pytest.MonkeyPatch) -> None:
    shell.setenv(name, REAL[name])

    assert world.real_variables() == [name]


@pytest.mark.parametrize("name", sorted(REAL))
def test_what_is_real_among_a_sandbox_s_is_named_and_refused(name: str, shell: pytest.MonkeyPatch) -> None:
    for other, value in GONE.items():
        shell.setenv(other, value)
    shell.setenv(name, REAL[name])

    with pytest.raises(SettingsError) as refused:
        world.real_variables()

    assert str(refused.value) == (
        f"{name}: not the sandbox's, though ALBACORE_SANDBOX_URL is set:"
        " unset what is real for the sandbox, or begin a new shell for the real world"
    )


def test_what_a_real_world_lacks_is_named(shell: pytest.MonkeyPatch) -> None:
    for name in ("NORWAY_URL", "XERO_CLIENT_ID"):
        shell.setenv(name, REAL[name])

    assert world.off() == [
        "FINLAND_URL", "ETHIOPIA_URL", "INDONESIA_URL", "NORWAY_CONTROL_URL", "INDONESIA_CONTROL_URL", "SMTP_URL"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        ("env", GONE | {"SMTP_URL": REAL["SMTP_URL"]}, "SMTP_URL: not the sandbox's"),
        ("up", GONE | {"XERO_CLIENT_ID": REAL["XERO_CLIENT_ID"]}, "XERO_CLIENT_ID: not the sandbox's"),
        ("up", {"ALBACORE_ARCHIVE": "s3://albacore/raw"}, "ALBACORE_ARCHIVE is no local path"),
        ("verify", REAL | {"ALBACORE_CLOCK_URL": GONE["ALBACORE_CLOCK_URL"]}, "ALBACORE_CLOCK_URL is set, but"),
    ],
)
def test_a_mixture_is_refused_in_one_line_before_anything_starts(
    words: str, given: dict[str, str], said: str, tmp_path: Path
) -> None:
    refused = run(words, folder=tmp_path, **given)

    assert refused.returncode == 1
    assert refused.stderr.startswith(said)
    assert len(refused.stderr.splitlines()) == 1
    assert SECRET not in refused.stdout + refused.stderr
    assert not (tmp_path / "home" / "sandbox").exists()
    assert embedded.status(home=tmp_path / "home") is None


@pytest.mark.timeout(240)
def test_beside_anything_real_no_sandbox_is_started_and_what_lacks_is_said(homes: Homes, tmp_path: Path) -> None:
    given = {"ALBACORE_HOME": homes("real"), "SMTP_URL": REAL["SMTP_URL"]}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = run("up", "--port", str(taken.getsockname()[1]), folder=tmp_path, **given)
    moved = run("sandbox", "advance", "1", folder=tmp_path, **given)
    entered = exported(run("env", folder=tmp_path, **given).stdout)

    assert served.stdout.splitlines()[0] == (
        "No sandbox beside what is real (SMTP_URL); not set, and so off: NORWAY_URL, FINLAND_URL, ETHIOPIA_URL,"
        " INDONESIA_URL, NORWAY_CONTROL_URL, INDONESIA_CONTROL_URL, XERO_CLIENT_ID"
    )
    assert moved.stderr.splitlines() == ["there is no sandbox beside what is real: SMTP_URL"]
    assert not (homes.folder / "real" / "sandbox").exists()
    assert set(entered) & {*GONE, "SMTP_URL"} == set()


@pytest.mark.timeout(240)
def test_env_leads_to_its_own_sandbox_in_a_shell_that_knows_another(homes: Homes, tmp_path: Path) -> None:
    """The other one may still run, or be gone; another home's exports are then replaced one by one."""
    first = exported(run("env", folder=tmp_path, ALBACORE_HOME=homes("first")).stdout)
    beside = exported(run("env", folder=tmp_path, **first | {"ALBACORE_HOME": homes("second")}).stdout)
    after = run("env", folder=tmp_path, **GONE | {"ALBACORE_HOME": homes("second")})

    assert exported(after.stdout) == beside, after.stderr
    assert set(beside) == set(first)
    assert beside["ALBACORE_REGISTRY"] == str(homes.folder / "second" / "sandbox" / "registry")
    leads = [name for name in first if name.endswith("_URL")]
    assert [name for name in leads if beside[name] == first[name]] == []
    assert {name: beside[name] for name in variables(url="", smtp_url="")} == variables(
        url=beside["ALBACORE_SANDBOX_URL"], smtp_url=beside["SMTP_URL"]
    )


def test_a_registry_of_one_s_own_stays_in_the_sandbox_s_world(shell: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(url: str, method: str, path: str, body: object = None) -> dict[str, dict[str, str]]:
        asked.append(f"{method} {path}")
        return {"variables": {}}

    class Running:
        url = "http://127.0.0.1:4100"

    shell.setattr("albacore_sandbox.process.start", lambda home: Running())
    shell.setattr(world, "ask_sandbox", ask)

    own = world.enter_sandbox(home=tmp_path, registry="/srv/registry")
    others = world.enter_sandbox(home=tmp_path, registry=GONE["ALBACORE_REGISTRY"])

    assert own["ALBACORE_REGISTRY"] == "/srv/registry"
    assert others["ALBACORE_REGISTRY"] == str(tmp_path / "sandbox" / "registry")
    assert asked == ["GET addresses", "POST registry", "GET addresses"]
