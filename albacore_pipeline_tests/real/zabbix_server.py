"""Zabbix 6.0 as Debian packages it: server, frontend and a PostgreSQL cluster of its own.

Belongs here: their configuration, hosts and users in them, and the quickest way to load history and trends.
Does not belong here: what is loaded, and what the product asks.
"""

from __future__ import annotations

import gzip
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from albacore_pipeline_tests.real.servers import (
    RealServer,
    ServerFailure,
    free_port,
    on_loopback,
    program,
    running,
)

FRONTEND = Path("/usr/share/zabbix")
SCHEMA = Path("/usr/share/zabbix-server-pgsql")
PACKAGE = "zabbix-server-pgsql zabbix-frontend-php"
READ, READ_WRITE = 2, 3
USER, ADMIN = "1", "2"  # Zabbix's own roles
GROUP = "Machines"


@dataclass(kw_only=True)
class Zabbix:
    """A Zabbix that runs, seen by its administrator, and its database."""

    url: str
    database: dict[str, Any]
    client: httpx.Client
    session: str = field(default="", repr=False)
    group: str = ""

    def call(self, method: str, params: Any) -> Any:
        """A method of the API by its administrator. Raises ServerFailure with what Zabbix says."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, "auth": self.session or None}
        answer = self.client.post("/api_jsonrpc.php", json=body).raise_for_status().json()
        if "error" in answer:
            raise ServerFailure(f"Zabbix refused {method}: {answer['error']}")
        return answer["result"]

    def add_hosts(self, *, item_key: str, machines: Sequence[tuple[str, list[dict[str, str]]]]) -> dict[str, int]:
        """A host for each machine, by name and tags, with an item in watts; returns the items' ids by machine."""
        self.group = self.call("hostgroup.create", {"name": GROUP})["groupids"][0]
        template = {"host": "Power meter", "groups": [{"groupid": self.group}]}
        meter = self.call("template.create", template)["templateids"][0]
        trapper, decimal = 2, 0
        item = {"name": "Active power", "key_": item_key, "type": trapper, "value_type": decimal, "units": "W"}
        self.call("item.create", {**item, "hostid": meter})
        shared = {"groups": [{"groupid": self.group}], "templates": [{"templateid": meter}]}
        self.call("host.create", [{"host": name, "tags": tags, **shared} for name, tags in machines])
        asked = {"output": ["itemid"], "selectHosts": ["host"], "filter": {"key_": item_key}, "templated": False}
        return {found["hosts"][0]["host"]: int(found["itemid"]) for found in self.call("item.get", asked)}

    def add_user(self, *, name: str, role: str, permission: int) -> RealServer:
        """A user who sees the machines' hosts; returns the frontend as this user."""
        user = RealServer(url=self.url, username=name)
        rights = [{"id": self.group, "permission": permission}]
        users = self.call("usergroup.create", {"name": f"{name}s", "rights": rights})["usrgrpids"]
        who = {"username": name, "passwd": user.password, "roleid": role, "usrgrps": [{"usrgrpid": users[0]}]}
        self.call("user.create", who)
        return user

    def token_of(self, user: RealServer) -> RealServer:
        """The same user with an API token instead of the password."""
        (found,) = self.call("user.get", {"output": ["userid"], "filter": {"username": user.username}})
        tokens = self.call("token.create", {"name": "collection", "userid": found["userid"]})["tokenids"]
        (made,) = self.call("token.generate", tokens)
        return RealServer(url=self.url, username=user.username, password=made["token"])

    def forget_sessions(self, user: RealServer) -> None:
        """End every session of a user, as Zabbix does after a while."""
        with psycopg.connect(**self.database) as connection:
            connection.execute(
                "delete from sessions where userid = (select userid from users where username = %s)", [user.username]
            )

    def copy(self, *, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Load rows into one of Zabbix's own tables."""
        with psycopg.connect(**self.database) as connection, connection.cursor() as cursor:
            statement = f"copy {table} ({', '.join(columns)}) from stdin"
            with cursor.copy(statement.encode()) as copy:
                for row in rows:
                    copy.write_row(row)


@contextmanager
def zabbix() -> Iterator[Zabbix]:
    """A Zabbix without hosts. It lives in /tmp, whatever TMPDIR says: PostgreSQL's own user must reach it."""
    folder = Path(tempfile.mkdtemp(prefix="albacore-zabbix-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            database = stack.enter_context(_postgresql(folder / "postgresql"))
            _load_schema(database)
            port = stack.enter_context(_server(folder, database))
            front = on_loopback(username="Admin")
            stack.enter_context(_frontend(folder, front, database, server_port=port))
            client = stack.enter_context(httpx.Client(base_url=front.url, timeout=60))
            here = Zabbix(url=front.url, database=database, client=client)
            here.session = here.call("user.login", {"username": "Admin", "password": "zabbix"})
            yield here
    finally:
        shutil.rmtree(folder)


def _owner() -> dict[str, Any]:
    """As whom PostgreSQL runs: it refuses root."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _postgres_program(name: str) -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1] if found else Path(program(name, package="postgresql"))


@contextmanager
def _postgresql(folder: Path) -> Iterator[dict[str, Any]]:
    """An empty database for Zabbix alone, as psycopg's parameters."""
    who = RealServer(url=f"http://127.0.0.1:{free_port()}", username="zabbix")
    owner = _owner()
    folder.mkdir()
    secret = folder / "password"
    secret.write_text(who.password)
    if owner:
        folder.parent.chmod(0o711)
        for path in (folder, secret):
            os.chown(path, owner["user"], owner["group"])
    data, port = folder / "data", int(who.address.partition(":")[2])
    made = subprocess.run(
        [
            *(_postgres_program("initdb"), "-D", data, "-U", who.username, f"--pwfile={secret}"),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        cwd="/",
        capture_output=True,
        text=True,
        **owner,
    )
    if made.returncode:
        raise ServerFailure(f"initdb failed: {(made.stderr.strip().splitlines() or ['?'])[-1]}")
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_wal_size": "2GB",
    }
    command = [str(_postgres_program("postgres")), "-D", str(data)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    database: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "user": who.username, "password": who.password, "dbname": "postgres",
    }  # fmt: skip
    with running(command, ready=lambda: _answers(database), log=folder.parent / "postgresql.log", **owner):
        with psycopg.connect(**database, autocommit=True) as connection:
            connection.execute("create database zabbix")
        yield database | {"dbname": "zabbix"}


def _answers(database: dict[str, Any]) -> bool:
    try:
        psycopg.connect(**database, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _load_schema(database: dict[str, Any]) -> None:
    for part in ("schema", "images", "data"):
        path = SCHEMA / f"{part}.sql.gz"
        if not path.exists():
            raise ServerFailure(f"{path} is missing: apt-get install --no-install-recommends {PACKAGE}")
        with psycopg.connect(**database) as connection:
            connection.execute(gzip.decompress(path.read_bytes()))


@contextmanager
def _server(folder: Path, database: dict[str, Any]) -> Iterator[int]:
    """The server behind the frontend, which runs the scripts; yields its port."""
    port, config = free_port(), folder / "server.conf"
    settings = {
        "ListenIP": "127.0.0.1",
        "ListenPort": port,
        "LogType": "console",
        "PidFile": folder / "server.pid",
        "SocketDir": folder,
        "DBHost": database["host"],
        "DBPort": database["port"],
        "DBName": database["dbname"],
        "DBUser": database["user"],
        "DBPassword": database["password"],
        "AllowRoot": 1,
        "CacheUpdateFrequency": 1,
        "StartPollers": 1,
        "StartTrappers": 2,
        "StartPingers": 0,
        "StartDiscoverers": 0,
        "StartHTTPPollers": 0,
        "CacheSize": "32M",
        "HousekeepingFrequency": 0,
    }
    config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    config.chmod(0o600)
    log = folder / "server.log"
    command = [program("zabbix_server", package=PACKAGE), "-f", "-c", str(config)]
    with running(command, ready=lambda: "server #0 started" in log.read_text(errors="replace"), log=log):
        yield port


@contextmanager
def _frontend(folder: Path, front: RealServer, database: dict[str, Any], *, server_port: int) -> Iterator[None]:
    """The frontend in PHP's own web server, from a copy that reads a configuration of its own."""
    if not FRONTEND.exists():
        raise ServerFailure(f"{FRONTEND} is missing: apt-get install --no-install-recommends {PACKAGE}")
    site = folder / "www"
    shutil.copytree(FRONTEND, site, ignore=shutil.ignore_patterns("locale", "zabbix.conf.php"))
    paths = site / "include/classes/core/CConfigFile.php"
    paths.write_text(paths.read_text().replace("/etc/zabbix/zabbix.conf.php", str(site / "conf/zabbix.conf.php")))
    values = {
        "DB['TYPE']": "POSTGRESQL",
        "DB['SERVER']": database["host"],
        "DB['PORT']": str(database["port"]),
        "DB['DATABASE']": database["dbname"],
        "DB['USER']": database["user"],
        "DB['PASSWORD']": database["password"],
        "DB['SCHEMA']": "",
        "ZBX_SERVER": "127.0.0.1",
        "ZBX_SERVER_PORT": str(server_port),
        "ZBX_SERVER_NAME": "Finland",
    }
    config = site / "conf/zabbix.conf.php"
    lines = [f"${name} = '{value}';" for name, value in values.items()]
    lines += ["$DB['ENCRYPTION'] = false;", "$DB['DOUBLE_IEEE754'] = true;", "$IMAGE_FORMAT_DEFAULT = 'PNG';"]
    config.write_text("\n".join(["<?php", *lines, ""]))
    config.chmod(0o600)
    limits = {"memory_limit": "512M", "max_execution_time": "300", "max_input_time": "300", "post_max_size": "64M"}
    command = [program("php", package="php-cli"), "-d", "date.timezone=Europe/Helsinki"]
    command += [part for name, value in limits.items() for part in ("-d", f"{name}={value}")]
    command += ["-S", front.address, "-t", str(site)]
    question = {"jsonrpc": "2.0", "id": 1, "method": "apiinfo.version", "params": []}
    with (
        httpx.Client(base_url=front.url, timeout=60) as client,
        running(
            command,
            ready=lambda: client.post("/api_jsonrpc.php", json=question).is_success,
            log=folder / "frontend.log",
            environment={"PHP_CLI_SERVER_WORKERS": "4"},
        ),
    ):
        yield


def power_scripts(here: Zabbix, *, redfish: RealServer, systems: dict[str, str]) -> None:
    """Three global scripts that switch a host's machine at a Redfish service; `systems` are its ids by machine."""
    macros = {
        "{$REDFISH.URL}": redfish.url,
        "{$REDFISH.USER}": redfish.username,
        "{$REDFISH.PASSWORD}": redfish.password,
    }
    hosts = here.call("host.get", {"output": ["hostid", "host"], "filter": {"host": list(systems)}})
    for host in hosts:
        own = macros | {"{$REDFISH.SYSTEM}": systems[host["host"]]}
        update = {"hostid": host["hostid"], "macros": [{"macro": name, "value": value} for name, value in own.items()]}
        here.call("host.update", update)
    webhook, manual_on_host = 5, 2
    shared = {
        "type": webhook,
        "scope": manual_on_host,
        "host_access": READ_WRITE,
        "parameters": [
            {"name": "url", "value": "{$REDFISH.URL}/redfish/v1/Systems/{$REDFISH.SYSTEM}"},
            {"name": "user", "value": "{$REDFISH.USER}"},
            {"name": "password", "value": "{$REDFISH.PASSWORD}"},
        ],
    }
    for name, command in (
        ("Power off", _RESET.replace("KIND", "ForceOff")),
        ("Power on", _RESET.replace("KIND", "On")),
        ("Power status", _STATUS),
    ):
        here.call("script.create", {"name": name, "command": _OPEN + command, **shared})


_OPEN = """
var p = JSON.parse(value), http = new HttpRequest();
http.setHttpAuth(HTTPAUTH_BASIC, p.user, p.password);
http.addHeader('Content-Type: application/json');
"""
_RESET = """
http.post(p.url + '/Actions/ComputerSystem.Reset', JSON.stringify({ResetType: 'KIND'}));
if (http.getStatus() !== 204) { throw 'HTTP ' + http.getStatus(); }
return 'accepted';
"""
_STATUS = """
var said = http.get(p.url);
if (http.getStatus() !== 200) { throw 'HTTP ' + http.getStatus(); }
return JSON.parse(said).PowerState;
"""
