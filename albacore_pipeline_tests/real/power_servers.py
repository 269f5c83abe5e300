"""sushy-tools' Redfish emulator and OpenStack Ironic, from PyPI, with machines that can be switched.

Belongs here: their configuration, and machines in them. Does not belong here: what switching means to the product.
Each lives in a virtual environment of its own, which `install.sh` makes of pinned requirements.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import httpx

from albacore_pipeline.settings import PROJECT
from albacore_pipeline_tests.real.servers import RealServer, ServerFailure, eventually, on_loopback, running

VENVS = PROJECT / ".venv-real"


def venv_program(name: str, *, venv: str) -> str:
    """The path of a program in one of the virtual environments. Raises ServerFailure."""
    path = VENVS / venv / "bin" / name
    if not path.exists():
        raise ServerFailure(f"{name} is not installed: albacore_pipeline_tests/real/install.sh makes {path}")
    return str(path)


def _write_password(server: RealServer, path: Path) -> None:
    hashed = bcrypt.hashpw(server.password.encode(), bcrypt.gensalt(rounds=4)).decode()
    path.write_text(f"{server.username}:{hashed}\n")


def system_id(machine: str) -> str:
    """The id of a machine's system at the Redfish service."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, machine))


@contextmanager
def redfish(*, folder: Path, machines: Sequence[str]) -> Iterator[RealServer]:
    """A Redfish service with a system for each machine, all on. A change of state takes it 1 to 11 seconds."""
    server = on_loopback(username="control")
    _write_password(server, folder / "htpasswd")
    host, _, port = server.address.partition(":")
    systems = [
        {
            "uuid": system_id(machine),
            "name": machine,
            "power_state": "On",
            "external_notifier": False,
            "nics": [{"mac": "00:5c:52:31:3a:9c", "ip": "172.22.0.100"}],
        }
        for machine in machines
    ]
    settings = {
        "SUSHY_EMULATOR_LISTEN_IP": host,
        "SUSHY_EMULATOR_LISTEN_PORT": int(port),
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_AUTH_FILE": str(folder / "htpasswd"),
        "SUSHY_EMULATOR_STATE_DIR": str(folder),
        "SUSHY_EMULATOR_FAKE_SYSTEMS": systems,
    }
    config = folder / "emulator.conf"
    config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    command = [venv_program("sushy-emulator", venv="sushy"), "--fake", "--config", str(config)]
    with (
        server.client() as client,
        running(command, ready=lambda: client.get("/redfish/v1/Systems").is_success, log=folder / "redfish.log"),
    ):
        yield server


@contextmanager
def ironic(*, folder: Path, machines: Sequence[str]) -> Iterator[RealServer]:
    """Ironic with a managed node for each machine. A change of state takes it 2 seconds."""
    server = on_loopback(username="control")
    _write_password(server, folder / "htpasswd")
    host, _, port = server.address.partition(":")
    config = folder / "ironic.conf"
    config.write_text(_IRONIC.format(folder=folder, host=host, port=port, rpc=on_loopback().address.partition(":")[2]))
    made = subprocess.run(
        [venv_program("ironic-dbsync", venv="ironic"), "--config-file", config, "create_schema"],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise ServerFailure(f"ironic-dbsync failed: {(made.stderr.strip().splitlines() or ['?'])[-1]}")
    command = [venv_program("ironic", venv="ironic"), "--config-file", str(config)]
    with (
        server.client() as client,
        running(command, ready=lambda: _conductor_is_up(client), log=folder / "ironic.log"),
    ):
        for machine in machines:
            _manage(client, machine)
        eventually(lambda: _states(client) == {("manageable", None)}, what="nodes that are managed")
        for machine in machines:
            _switch_on(client, machine)
        eventually(lambda: _states(client) == {("manageable", "power on")}, what="nodes that are on")
        yield server


_VERSION = {"OpenStack-API-Version": "baremetal 1.81"}
_INTERFACES = (
    "bios",
    "boot",
    "console",
    "deploy",
    "firmware",
    "inspect",
    "management",
    "power",
    "raid",
    "rescue",
    "vendor",
)
_IRONIC = (
    """
[DEFAULT]
auth_strategy = http_basic
http_basic_auth_user_file = {folder}/htpasswd
enabled_hardware_types = fake-hardware
enabled_network_interfaces = noop
enabled_storage_interfaces = noop
rpc_transport = none
state_path = {folder}
log_file = {folder}/ironic-server.log
"""
    + "".join(f"enabled_{name}_interfaces = fake\n" for name in _INTERFACES)
    + """
[api]
host_ip = {host}
port = {port}
api_workers = 1
[json_rpc]
auth_strategy = noauth
host_ip = 127.0.0.1
port = {rpc}
[database]
connection = sqlite:///{folder}/ironic.sqlite
[fake]
power_delay = 2
[oslo_messaging_notifications]
driver = noop
"""
)


def _conductor_is_up(client: httpx.Client) -> bool:
    drivers = client.get("/v1/drivers", headers=_VERSION)
    return drivers.is_success and bool(drivers.json()["drivers"])


def _manage(client: httpx.Client, machine: str) -> None:
    """Make a node of the machine's name, which Ironic manages."""
    node = {"driver": "fake-hardware", "name": machine, "resource_class": "rack"}
    client.post("/v1/nodes", json=node, headers=_VERSION).raise_for_status()
    wanted = {"target": "manage"}
    client.put(f"/v1/nodes/{machine}/states/provision", json=wanted, headers=_VERSION).raise_for_status()


def _switch_on(client: httpx.Client, machine: str) -> None:
    """Let Ironic know a first power state; fake hardware has none until it is told one."""
    target = {"target": "power on"}
    client.put(f"/v1/nodes/{machine}/states/power", json=target, headers=_VERSION).raise_for_status()


def _states(client: httpx.Client) -> set[tuple[str, str | None]]:
    fields = {"fields": "provision_state,power_state"}
    nodes = client.get("/v1/nodes", params=fields, headers=_VERSION).raise_for_status().json()["nodes"]
    return {(node["provision_state"], node["power_state"]) for node in nodes}
