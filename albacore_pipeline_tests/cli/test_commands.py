"""The command line's manners: help everywhere, 2 for wrong usage, 1 and one line for what goes wrong, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from albacore_pipeline.cli import home
from albacore_pipeline.cli.app import app, main
from albacore_pipeline.database import connect, embedded
from albacore_pipeline.settings import PROJECT, Settings
from albacore_pipeline_tests.commands import albacore
from albacore_pipeline_tests.registry.folders import line, write

NOWHERE = "127.0.0.1:1"
SECRET = "tell-nobody"
COMMANDS = {
    "demo", "up", "down", "env", "doctor", "verify", "explain", "sandbox advance", "sandbox status", "registry check",
    "registry load", "statement", "policy show",
}  # fmt: skip


def _paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from _paths(below, (*path, name)) if hasattr(below, "commands") else [(*path, name)]


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `albacore …` in a process of its own, on a home in the folder."""
    plain = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "ALBACORE_HOME": str(folder / "home")}
    return albacore(*words, variables=plain | variables, folder=folder)


def test_the_commands_are_those_of_the_contract() -> None:
    assert {" ".join(path) for path in _paths(typer.main.get_command(app))} == COMMANDS


@pytest.mark.parametrize("command", ["", "sandbox", "registry", *sorted(COMMANDS)])
def test_every_command_says_what_it_does(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="albacore")

    assert shown.exit_code == 0
    assert shown.output.strip().startswith(f"Usage: albacore {command}".strip())
    assert len([text for text in shown.output.splitlines() if text.strip()]) > 3


@pytest.mark.parametrize(
    "words",
    [
        ["bill"], ["demo", "--fast"], ["explain"], ["explain", "ALB-2025-000001", "--line", "one"],
        ["verify", "--month", "2025-13"], ["verify", "--month", "October"], ["sandbox", "advance"],
        ["sandbox", "advance", "-1"], ["sandbox", "advance", "two"], ["up", "--port", "0"], ["registry", "check"],
        ["registry", "load"],
    ],
)  # fmt: skip
def test_wrong_usage_is_2(words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["albacore", *words])
    monkeypatch.setenv("ALBACORE_HOME", str(tmp_path / "home"))

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert not (tmp_path / "home").exists()  # nothing was started for it


def test_a_broken_registry_is_told_line_by_line(tmp_path: Path) -> None:
    tariffs = line("tariffs.csv", 2, "0.70", "cheap")
    folder = write(tmp_path / "registry", customers=line("customers.csv", 3, "EUR", "XYZ"), tariffs=tariffs)

    checked = run("registry", "check", str(folder), folder=tmp_path)

    assert checked.returncode == 1
    said = checked.stderr.strip().splitlines()
    assert [text for text in said if text.startswith("customers.csv:3: currency: ")]
    assert [text for text in said if text.startswith("tariffs.csv:2: unit_price: ")]
    assert "Traceback" not in checked.stderr


def test_a_good_registry_passes(tmp_path: Path) -> None:
    checked = run("registry", "check", str(write(tmp_path / "registry")), folder=tmp_path)

    assert (checked.returncode, checked.stdout.strip()) == (
        0,
        "good: 2 customers, 3 assignments, 3 tariffs, 1 machines",
    )


def test_notes_are_told_and_refuse_nothing(tmp_path: Path) -> None:
    assignments = line("assignments.csv", 3, "2025-10-15", "2025-10-20")

    checked = run("registry", "check", str(write(tmp_path / "registry", assignments=assignments)), folder=tmp_path)

    assert checked.returncode == 0
    assert checked.stdout.splitlines()[0] == (
        "note: assignments.csv:3: from_day: nobody has NO-0001 from 2025-10-15 to 2025-10-19"
    )


def test_a_load_says_who_and_why_and_a_plan_loads_nothing(tmp_path: Path) -> None:
    folder = str(write(tmp_path / "registry"))
    words = ["--actor", "anna", "--reason", "new prices"]
    prices = line("tariffs.csv", 2, "0.70", "0.71")
    changed = str(write(tmp_path / "changed", tariffs=prices))
    variables = {"NORWAY_URL": f"http://{NOWHERE}", "LOGNAME": "bert"}  # no sandbox, and nothing that is asked
    try:
        planned = run("registry", "load", folder, "--plan", folder=tmp_path, **variables)
        loaded = run("registry", "load", folder, folder=tmp_path, **variables)
        again = run("registry", "load", changed, *words, folder=tmp_path, **variables)
        server = embedded.status(home=tmp_path / "home")
        assert server is not None
        with connect(server.database_url).connect() as connection:
            found = connection.execute(sa.text("select version, actor, reason from albacore.registry_version")).all()
    finally:
        embedded.remove(home=tmp_path / "home")

    assert planned.stdout.splitlines()[-1] == "0 customer-months would change, 0 of them blocked; nothing was changed"
    assert loaded.stdout.splitlines() == [
        "note: no site has shown 2 of the machines yet: FI-0001 at finland, NO-0001 at norway",
        "registry version 1: customer +2 -0, assignment +3 -0, tariff +3 -0, machine_rating +1 -0, policy +1 -0",
    ]
    assert again.stdout.splitlines()[-1] == "registry version 2: tariff +1 -1"
    assert [tuple(row) for row in found] == [(1, "bert", "loaded on the command line"), (2, "anna", "new prices")]


FAILURES = {
    "no database there": (
        ["verify"],
        {
            "ALBACORE_DATABASE_URL": f"postgresql+psycopg://us:{SECRET}@{NOWHERE}/none",
            "ALBACORE_DAGSTER_DATABASE_URL": f"postgresql+psycopg2://us:{SECRET}@{NOWHERE}/none",
            "NORWAY_URL": f"http://{NOWHERE}",
        },
        "ALBACORE_DATABASE_URL",
    ),
    "not a database's URL": (
        ["verify"],
        {
            "ALBACORE_DATABASE_URL": f"the usual one, {SECRET}",
            "ALBACORE_DAGSTER_DATABASE_URL": f"the usual one, {SECRET}",
            "NORWAY_URL": f"http://{NOWHERE}",
        },
        "ALBACORE_DATABASE_URL",
    ),
    "a setting with a value that it has not": (["env"], {"ALBACORE_EFFECTS": "perhaps"}, "ALBACORE_EFFECTS"),
    "a site's setting": (["env"], {"NORWAY_STARTS_ON": "soon"}, "NORWAY_STARTS_ON"),
    "a home that can not be": (["env"], {"ALBACORE_HOME": "/proc/albacore"}, "ALBACORE_HOME"),
    "a home that can not be, for the demo": (["demo"], {"ALBACORE_HOME": "/proc/albacore"}, "ALBACORE_HOME"),
    "a registry that is not there": (["registry", "check", "nowhere"], {}, "nowhere"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_goes_wrong_is_one_line_that_names_the_cause(failure: str, tmp_path: Path) -> None:
    words, variables, name = FAILURES[failure]

    failed = run(*words, folder=tmp_path, **variables)

    assert failed.returncode == 1, failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1, failed.stderr
    assert name in failed.stderr
    assert SECRET not in failed.stdout + failed.stderr
    assert embedded.status(home=tmp_path / "home") is None  # nothing was started for it


def test_down_where_nothing_ever_ran(tmp_path: Path) -> None:
    stopped = run("down", folder=tmp_path)

    assert (stopped.returncode, stopped.stdout.strip()) == (0, "Nothing was running")


def test_a_shell_takes_the_exports_as_they_are(tmp_path: Path) -> None:
    values = {"PLAIN": "plain", "UNKIND": 'it\'s $(exit 7) `exit 8` "quoted" \\ * ; é'}
    place = home.RunningHome(home=tmp_path, environment=values, settings=Settings.as_given({}))

    script = 'eval "$exports"; printf "%s|%s" "$PLAIN" "$UNKIND"'
    shell = subprocess.run(
        ["/bin/sh", "-euc", script], env={"exports": place.exports()}, capture_output=True, text=True, check=True
    )

    assert shell.stdout == f"{values['PLAIN']}|{values['UNKIND']}"
