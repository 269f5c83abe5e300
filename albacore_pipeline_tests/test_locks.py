"""The three locks: users and developers run the same versions, and users get none of the developers' tools."""

from __future__ import annotations

import re

import pytest

from albacore_pipeline.settings import PROJECT

LOCKS = ("requirements.txt", "requirements-sandbox.txt", "requirements-dev.txt")
PIN = re.compile(r"(?P<name>[a-z0-9.-]+)(\[[a-z0-9,-]+\])?==(?P<version>[^ ]+)( ; (?P<where>[^\\]+?))? \\")


def pins(lock: str) -> set[tuple[str, str, str]]:
    """Each name with its version and the marker under which it holds."""
    lines = (PROJECT / lock).read_text().splitlines()
    found = [PIN.fullmatch(line) for line in lines if not line.startswith("    --hash=sha256:")]
    return {(match["name"], match["version"], match["where"] or "") for match in found if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    lines = (PROJECT / lock).read_text().splitlines()

    others = [line for line in lines if not PIN.fullmatch(line)]

    assert [line for line in others if not re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)] == []
    assert len(pins(lock)) > 10


def test_users_run_the_versions_that_developers_test() -> None:
    versions = {lock: {(name, version) for name, version, _ in pins(lock)} for lock in LOCKS}

    assert versions["requirements.txt"] - versions["requirements-dev.txt"] == set()
    assert versions["requirements-sandbox.txt"] - versions["requirements-dev.txt"] == set()


def test_users_get_no_tool_of_the_developers_and_the_product_no_server_of_the_sandbox() -> None:
    product, sandbox, everything = ({name for name, *_ in pins(lock)} for lock in LOCKS)

    assert {"pytest", "mypy", "ruff", "hypothesis", "import-linter", "dagster-dg-cli"} <= everything
    assert {"pytest", "mypy", "ruff", "hypothesis", "import-linter", "dagster-dg-cli"} & (product | sandbox) == set()
    assert "aiosmtpd" in sandbox - product
