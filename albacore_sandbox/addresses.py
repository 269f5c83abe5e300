"""Where a world is reached and as whom, by the names that a pipeline's settings have for it.

Belongs here: the addresses below a world's own, and its credentials, which are visibly those of a demo.
Does not belong here: what answers there (`app.py`).
"""

from __future__ import annotations

from albacore_sandbox.answers import CONTROL_LOGIN, ENERGY_LOGIN
from albacore_sandbox.mailbox import MAIL_LOGIN
from albacore_sandbox.xero.gate import CLIENT
from albacore_sandbox.xero.reference import TENANT_ID
from albacore_sandbox.zabbix import TOKEN

HOST = "127.0.0.1"


def mailbox_url(port: int) -> str:
    """Where the mailbox takes mail."""
    return f"smtp://{':'.join(MAIL_LOGIN)}@{HOST}:{port}"


def variables(*, url: str, smtp_url: str) -> dict[str, str]:
    """Every variable that leads to the world at `url`, with its value."""
    return {
        **_login("NORWAY", f"{url}/norway", ENERGY_LOGIN),
        **_login("NORWAY_CONTROL", f"{url}/norway-control", CONTROL_LOGIN),
        **_login("FINLAND", f"{url}/finland", ("", TOKEN)),
        **_login("FINLAND_CONTROL", f"{url}/finland", CONTROL_LOGIN),
        **_login("ETHIOPIA", f"{url}/ethiopia", ENERGY_LOGIN),
        **_login("INDONESIA", f"{url}/indonesia", ENERGY_LOGIN),
        **_login("INDONESIA_CONTROL", f"{url}/indonesia-control", CONTROL_LOGIN),
        "XERO_API_URL": f"{url}/xero/api.xro/2.0",
        "XERO_TOKEN_URL": f"{url}/xero/connect/token",
        "XERO_CLIENT_ID": CLIENT[0],
        "XERO_CLIENT_SECRET": CLIENT[1],
        "ALBACORE_XERO_TENANT_ID": TENANT_ID,
        "ALBACORE_CLOCK_URL": f"{url}/sandbox/clock",
        "SMTP_URL": smtp_url,
    }


def is_of(url: str, *, name: str, value: str) -> bool:
    """Whether a world at `url`, running or gone, names this value for the variable.

    The mailbox has a port of its own, so the mailbox of any world will do.
    """
    if name == "SMTP_URL":
        port = value.rpartition(":")[2]
        return port.isdecimal() and value == mailbox_url(int(port))
    return variables(url=url, smtp_url="").get(name) == value


def _login(prefix: str, url: str, login: tuple[str, str]) -> dict[str, str]:
    return {f"{prefix}_URL": url, f"{prefix}_USERNAME": login[0], f"{prefix}_PASSWORD": login[1]}
