"""The home in which everything runs: embedded database, sandbox, Dagster's home, and the environment that joins them.

Belongs here: starting and stopping what a command needs. Does not belong here: what the commands say, and which world
they work in (`world.py`).
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from albacore_pipeline.cli import world
from albacore_pipeline.database import connect, embedded, migrate, sync_sites
from albacore_pipeline.settings import Settings, SettingsError, SiteSettings, keep_on_this_machine, only_the_sandbox
from albacore_pipeline.sites import SITES

DAGSTER_YAML = Path(__file__).with_name("dagster.yaml").resolve()  # the project's own where there is a checkout


class InUse(Exception):
    """Another command works on the same data."""


@dataclass(frozen=True, kw_only=True)
class RunningHome:
    """A home that runs, and the variables that lead there."""

    home: Path
    environment: dict[str, str]
    settings: Settings

    @property
    def sandbox_url(self) -> str:
        """The sandbox's address; empty in the real world."""
        return self.settings.sandbox_url

    def engine(self) -> sa.Engine:
        """The platform database."""
        return connect(self.environment["ALBACORE_DATABASE_URL"])

    def exports(self) -> str:
        """Lines for `eval`."""
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(self.environment.items()))


def own_variables() -> list[str]:
    """Every variable that the product reads."""
    sites = [f"{site.upper()}_{name.upper()}" for site in SITES for name in SiteSettings.model_fields]
    return [*(field.alias or name for name, field in Settings.model_fields.items()), *sites]


def forget_variables() -> None:
    """Forget every site, Xero, mail and database variable of the environment: what follows is the sandbox's."""
    for name in [*own_variables(), *(name for name in os.environ if name.startswith("PG"))]:
        if name != "ALBACORE_HOME":
            os.environ.pop(name, None)


def start(*, settings: Settings) -> RunningHome:
    """Start what is not running yet, migrate the database, and put the variables into the environment.

    Where no real system is configured the world is the sandbox's, and all of its variables are set anew. `settings` are
    those that were given; what is returned has those that hold now.
    """
    home = settings.home
    for site in SITES:  # before anything starts: one may be wrong
        SiteSettings.from_environment(site)
    real = world.real_variables()
    if real:
        only_the_sandbox(settings)
    else:
        keep_on_this_machine(settings)
    _make(home)
    environment = {"ALBACORE_HOME": str(home), "DAGSTER_HOME": str(_dagster_home(home))}
    environment |= _database(settings)
    environment["PATH"] = _with_first(
        str(Path(sys.executable).parent), environment.get("PATH", os.environ.get("PATH", ""))
    )
    if not real:
        environment |= world.enter_sandbox(home=home, registry=settings.registry)
    os.environ.update(environment)
    settings = Settings.from_environment()
    engine = connect(environment["ALBACORE_DATABASE_URL"])
    migrate(engine)
    with engine.begin() as connection:
        sync_sites(connection)
    return RunningHome(home=home, environment=environment, settings=settings)


def start_home() -> RunningHome:
    """The home that the environment names, running."""
    return start(settings=Settings.as_given())


def _make(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"ALBACORE_HOME: {home} can't be made ({error.strerror}): name a folder of your own"
        ) from None


def _database(settings: Settings) -> dict[str, str]:
    given = (settings.database_url.get_secret_value(), settings.dagster_database_url.get_secret_value())
    ours, dagsters = ("" if url and embedded.is_embedded(url) else url for url in given)
    if ours and dagsters:
        return {"ALBACORE_DATABASE_URL": ours, "ALBACORE_DAGSTER_DATABASE_URL": dagsters}
    server = embedded.start(home=settings.home)
    url = sa.make_url(ours or server.database_url)
    psql = {"PGHOST": url.query.get("host", url.host), "PGUSER": url.username, "PGDATABASE": url.database}
    return {
        "ALBACORE_DATABASE_URL": ours or server.database_url,
        "ALBACORE_DAGSTER_DATABASE_URL": dagsters or server.dagster_database_url,
        "PATH": _with_first(str(server.bin_path), os.environ.get("PATH", "")),
        **{name: str(value) for name, value in psql.items() if value},
    }


def _with_first(folder: str, path: str) -> str:
    return os.pathsep.join([folder, *(part for part in path.split(os.pathsep) if part not in (folder, ""))])


def _dagster_home(home: Path) -> Path:
    """A folder of its own with a link to dagster.yaml, so that the checkout stays clean."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "dagster.yaml"
    if not link.is_symlink() or link.resolve() != DAGSTER_YAML:
        link.unlink(missing_ok=True)
        link.symlink_to(DAGSTER_YAML)
    return folder


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The lock on a home: the kernel frees it when the last process that has its descriptor is gone."""

    descriptor: int
    text: str

    def held_with(self, name: str, pid: int) -> None:
        """Note a child that has the descriptor too, for whoever has to end it when we can't any more."""
        self.note(f"{self.text}, {name} (pid {pid})")

    def note(self, text: str) -> None:
        """Say who holds the home."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)


@contextmanager
def only_one(home: Path, *, name: str) -> Iterator[Lock]:
    """Hold the home for a command that drives it. Raises InUse with the mend where another does."""
    _make(home)
    with (home / "in-use.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InUse(
                f"{file.read().strip() or 'another command'} is running on {home}: albacore down, or wait for its end"
            ) from None
        lock = Lock(descriptor=file.fileno(), text=f"albacore {name} (pid {os.getpid()})")
        lock.note(lock.text)
        yield lock
        lock.note("")


def end_driver(home: Path) -> bool:
    """End the command that holds the home; False when none does."""
    path = home / "in-use.lock"
    if not path.exists():
        return False
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            pids = [int(pid) for pid in re.findall(r"pid (\d+)", path.read_text())]
        for pid in pids:  # the command ends its child by itself; where it was killed, the child is ended here
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                break
        fcntl.flock(file, fcntl.LOCK_EX)  # held until all of them have gone
        for pid in pids[1:]:  # a child leads a group, and its own children outlive it where they were busy
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
    return True


def stop(home: Path) -> list[str]:
    """Stop everything of a home; returns what was running."""
    stopped = []
    if end_driver(home):
        stopped.append("the command that was running")
    try:
        if world.leave_sandbox(home=home):
            stopped.append("the sandbox")
    finally:  # a sandbox that can't be ended keeps no database running
        if embedded.stop(home=home):
            stopped.append("the embedded database")
    return stopped
