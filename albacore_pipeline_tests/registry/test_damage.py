"""Whatever happens to one file of a registry: it is refused by that file's name and changes nothing, or it loads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from albacore_pipeline.database import sync_sites
from albacore_pipeline.registry.files import Registry, RegistryRefused, read_registry
from albacore_pipeline.registry.store import load
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.clocks import utc
from albacore_pipeline_tests.registry.generated import COLUMNS, damages, registries

FILES = (*COLUMNS, "policies.yaml")
NOW = utc("2025-11-01T06:00")
TABLES = "select quote_ident(tablename) from pg_tables where schemaname = 'albacore' order by 1"


def read(files: Mapping[str, bytes]) -> Registry:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return read_registry(Path(folder))


def dump(connection: sa.Connection) -> list[tuple[str, ...]]:
    """Every row of every table."""
    tables = connection.execute(sa.text(TABLES)).scalars()
    question = " union all ".join(f"select '{name}', row_of::text from albacore.{name} row_of" for name in tables)
    return sorted(tuple(row) for row in connection.execute(sa.text(question)))


def loads(connection: sa.Connection, files: Mapping[str, bytes]) -> None:
    load(connection, read(files), actor="anna", reason="test", now=NOW)


def open_sites(connection: sa.Connection) -> None:
    sync_sites(connection, sites=[(site, site.starts_on) for site in SITES.values()])


@given(files=registries(), damaged=st.sampled_from(FILES), damage=damages())
@settings(max_examples=50)
def test_a_damage_is_refused_by_its_files_name_or_loads(
    connection: sa.Connection, files: dict[str, bytes], damaged: str, damage: Callable[[bytes], bytes]
) -> None:
    savepoint = connection.begin_nested()
    try:
        open_sites(connection)
        loads(connection, files)
        before = dump(connection)
        try:
            loads(connection, files | {damaged: damage(files[damaged])})
        except RegistryRefused as refused:
            assert any(damaged in f"{problem.file} {problem.message}" for problem in refused.problems), refused
            assert dump(connection) == before
    finally:
        savepoint.rollback()


@given(files=registries(), missing=st.sampled_from(FILES))
@settings(max_examples=20)
def test_a_missing_file_is_refused_by_its_name_or_was_optional(files: dict[str, bytes], missing: str) -> None:
    try:
        read({name: content for name, content in files.items() if name != missing})
    except RegistryRefused as refused:
        assert all(missing in str(problem) for problem in refused.problems), refused
    else:
        assert missing not in ("customers.csv", "assignments.csv", "tariffs.csv")
