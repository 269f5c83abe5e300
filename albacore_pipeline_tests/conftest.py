"""A database of its own for each test that asks for `engine`.

One embedded server serves all workers of a test session. The schema is migrated once, into a template; each test gets
a copy of it, which takes some hundredths of a second.
Does not belong here: any data; tests write what they need, mostly through `small_world`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from albacore_pipeline.database import connect, embedded, migrate
from albacore_pipeline.database.engine import SQL_FOLDER
from albacore_pipeline_tests.clocks import FrozenClock, utc

pytest_plugins = ["albacore_pipeline_tests.query_coverage", "albacore_pipeline_tests.unvouched"]

KEPT_HOME = "ALBACORE_TEST_HOME"  # a folder whose server is kept between sessions, for quick single tests

# Examples are the same in every run; a database that was slow once is no failure.
settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one worker has to do in a row comes first: the story is the longest way to the end."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that has the template; it ends with the last worker that uses it, unless it is to be kept."""
    base = tmp_path_factory.getbasetemp()
    kept = os.environ.get(KEPT_HOME)
    home = Path(kept) if kept else (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres_home"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        url = embedded.start(home=home, durable=False).database_url
        memory = None if kept else _folder_in_memory(home)
        with _locked(home / "template"):
            _make_template(url, memory)
        yield url
        if kept:
            return
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another worker still uses the server
        embedded.remove(home=home)
        if memory:
            shutil.rmtree(memory)


def _folder_in_memory(home: Path) -> Path | None:
    """A folder in memory for the databases of a server, whose files are copied many times; None where there is none.

    A container's may be too small. That of a kept server would be gone with the next start of the machine.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < 2**30:
        return None
    return memory / f"albacore-tests-{hashlib.sha256(bytes(home)).hexdigest()[:12]}"


def _schema_digest() -> str:
    """What the template is made of: another schema is another template."""
    digest = hashlib.sha256()
    for path in sorted((SQL_FOLDER / "migrations").rglob("*.sql")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


TEMPLATE = f"albacore_template_{_schema_digest()}"


def _named(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)


def _make_template(url: str, memory: Path | None) -> None:
    """Make the template if it is not there, in that folder of the memory: a copy lies where its template does."""
    if _ask(url, f"select 1 from pg_database where datname = '{TEMPLATE}' and datistemplate"):
        return
    _ask(url, f"drop database if exists {TEMPLATE}")
    place = ""
    if memory:
        place = f"tablespace {memory.name.replace('-', '_')}"
        memory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(memory, "nobody")  # as whom the server runs then
        _ask(url, f"create {place} location '{memory}'")
    _ask(url, f"create database {TEMPLATE} template template0 locale 'C.UTF-8' {place}")
    engine = connect(_named(url, TEMPLATE))
    migrate(engine)
    engine.dispose()
    _ask(url, f"alter database {TEMPLATE} is_template true")


def _ask(url: str, statement: str) -> bool:
    """Run a statement outside of any transaction; whether it returned a row."""
    address = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        answer = connection.execute(statement.encode())
        return answer.description is not None and answer.fetchone() is not None


@contextmanager
def _databases(server_url: str) -> Iterator[Callable[[str], str]]:
    """Makes databases that are copies of the one with the given name; returns their URLs. They go in the end."""
    urls: list[str] = []

    def make(template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        _ask(server_url, f"create database {name} template {template} strategy file_copy")
        urls.append(_named(server_url, name))
        return urls[-1]

    yield make
    for url in urls:
        connect(url).dispose()
        _ask(server_url, f"drop database {sa.make_url(url).database} with (force)")


@pytest.fixture(scope="session")
def make_template(server_url: str) -> Iterator[Callable[[Callable[[sa.Engine], None]], str]]:
    """Makes a database that a function writes to once, for `make_database` to copy; returns its name."""
    with _databases(server_url) as copy_of:

        def make(write: Callable[[sa.Engine], None]) -> str:
            url = copy_of(TEMPLATE)
            write(connect(url))
            connect(url).dispose()  # nobody may be connected to what is copied
            return str(sa.make_url(url).database)

        yield make


@pytest.fixture
def make_database(server_url: str) -> Iterator[Callable[..., str]]:
    """Makes fresh databases with the schema, or with what a template has; returns their URLs."""
    with _databases(server_url) as copy_of:
        yield lambda template=TEMPLATE: copy_of(template)


@pytest.fixture
def engine(make_database: Callable[[], str]) -> sa.Engine:
    """An engine on a fresh database with the schema; its owner is the superuser."""
    return connect(make_database())


@pytest.fixture(scope="session")
def scratch_engine(server_url: str) -> Iterator[sa.Engine]:
    """An engine on a database in which nothing is ever committed."""
    with _databases(server_url) as copy_of:
        yield connect(copy_of(TEMPLATE))


@pytest.fixture
def connection(scratch_engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection within a transaction that is rolled back: quicker than `engine` where one connection is enough."""
    with scratch_engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def clock() -> FrozenClock:
    """The first of November 2025, six in the morning: October is over everywhere."""
    return FrozenClock(utc("2025-11-01T06:00"))
