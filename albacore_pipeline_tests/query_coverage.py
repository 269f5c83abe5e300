"""Notes which query files a test session runs, and with how many rows: `--every-query` fails a session that misses one.

A query that no test ever ran with a row has a door whose row type nobody has seen. Loaded by `conftest.py` as a plugin.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from albacore_pipeline.database.engine import SQL_FOLDER, query

seen: set[str] = set()


def every_query() -> list[str]:
    """Every query file, the steps of the rating included, without the migrations."""
    paths = (path.relative_to(SQL_FOLDER).with_suffix("") for path in sorted(SQL_FOLDER.rglob("*.sql")))
    return [str(path) for path in paths if path.parts[0] != "migrations"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-query", action="store_true", help="fail if a query file was never run with a row")


def pytest_configure(config: pytest.Config) -> None:
    names = {query(name).text: name for name in every_query()}

    @sa.event.listens_for(sa.Engine, "after_execute")
    def note(
        connection: sa.Connection, statement: Any, many: Any, one: Any, options: Any, result: sa.CursorResult[Any]
    ) -> None:
        name = names.get(getattr(statement, "text", ""))
        if name is not None and (many or result.rowcount != 0):
            seen.add(name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["queries"] = sorted(seen)
    elif session.config.option.every_query and session.exitstatus == 0 and unseen():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.option.every_query and unseen():
        terminalreporter.section("queries that no test ran with a row", red=True)
        terminalreporter.write_line(", ".join(unseen()))


def unseen() -> list[str]:
    """The queries that were not run with a row yet."""
    return [name for name in every_query() if name not in seen]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of pytest-xdist hands over what it saw."""
    seen.update(getattr(node, "workeroutput", {}).get("queries", ()))
