"""docs/adding-a-migration.md: its files are a migration, with a test that would notice a loss."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from albacore_pipeline.database.engine import driver
from albacore_pipeline.database.migrate import _configuration
from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.docs.pages import DOCS, blocks
from albacore_pipeline_tests.small_world import ask

PAGE = DOCS / "adding-a-migration.md"
NAME = "0002_hold_channel"
UP = f"sql/migrations/{NAME}/1_holds.sql"
BEFORE, AFTER = (f"sql/migrations/{NAME}/test/{name}.sql" for name in ("before", "after"))
STEP = f"albacore_pipeline/database/migrations/versions/{NAME}.py"
MIGRATE = "import sys; from albacore_pipeline.database import connect, migrate; migrate(connect(sys.argv[1]))"


def files() -> dict[str, str]:
    """The files that the page shows, by the paths in their first lines."""
    found = {}
    for block in (*blocks(PAGE, "sql"), *blocks(PAGE, "python")):
        head, _, text = block.partition("\n")
        found[re.sub(r"^(--|#) ", "", head)] = text
    return found


def newest() -> str:
    """The newest migration there is; on the page it is the first one."""
    return str(ScriptDirectory.from_config(_configuration()).get_current_head())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the package and its SQL, with the files of the page."""
    for folder in ("albacore_pipeline", "sql"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / folder, tmp_path / folder, symlinks=True, ignore=ignored)
    for path, text in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text.replace('down_revision = "0001_schema"', f'down_revision = "{newest()}"'))
    return tmp_path


def migrate(project: Path, engine: sa.Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    ended = subprocess.run(
        [sys.executable, "-c", MIGRATE, url], env={"PYTHONPATH": str(project)}, cwd=project, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def run(engine: sa.Engine, text: str) -> None:
    with engine.begin() as connection:
        driver(connection).execute(text.encode())


def test_the_page_shows_every_file_of_a_migration() -> None:
    assert set(files()) == {UP, BEFORE, AFTER, STEP}


def test_a_database_is_migrated_by_the_files_of_the_page(engine: sa.Engine, project: Path) -> None:
    run(engine, files()[BEFORE])
    migrate(project, engine)
    run(engine, files()[AFTER])
    with engine.connect() as connection:
        assert ask(connection, "select version_num from alembic_version") == [(NAME,)]


def test_the_after_of_the_page_notices_a_loss(engine: sa.Engine, project: Path) -> None:
    run(engine, files()[BEFORE])
    (project / UP).write_text(files()[UP] + "delete from albacore.hold;")
    migrate(project, engine)
    with pytest.raises(psycopg.Error, match="a hold is lost"):
        run(engine, files()[AFTER])
