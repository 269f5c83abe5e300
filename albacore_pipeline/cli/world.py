"""Which world a command works in: the sandbox's or the real one, and never a mixture of both.

Belongs here: telling the two apart by the environment, the sandbox's process, and the variables that lead to it.
Does not belong here: the home and its database (`home.py`), and the law itself (`settings.only_the_sandbox`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from albacore_pipeline.settings import Settings, SettingsError, SiteSettings, is_outward
from albacore_pipeline.sites import SITES, TicketControl, ZabbixScriptControl
from albacore_pipeline.tls import trusted

STORY_MONTH = "2025-10"
WRITTEN = ("sandbox", "registry")  # where, below a home, its sandbox writes the registry's files
NOT_INSTALLED = "the sandbox is not installed: pip install ./albacore_sandbox (make demo does), or configure real sites"


class SandboxFailure(Exception):
    """The sandbox does not start or end. One line: cause and mend."""


@contextmanager
def _installed() -> Iterator[None]:
    """For what uses the sandbox: it is a distribution of its own, and may be missing."""
    try:
        from albacore_sandbox.process import SandboxFailed
    except ImportError:
        raise SettingsError(NOT_INSTALLED) from None
    try:
        yield
    except SandboxFailed as error:
        raise SandboxFailure(str(error)) from None
    except ImportError:
        raise SettingsError(NOT_INSTALLED) from None


def real_variables() -> list[str]:
    """The variables that lead to real systems, by name; none of them: the world is the sandbox's.

    Values that `albacore env` printed for a sandbox, running or gone, are no real ones. Before anything starts: raises
    SettingsError where they are mixed with others, and where a sandbox is wanted and not installed.
    """
    given = {name: os.environ[name] for name in _outward() if os.environ.get(name)}
    url = os.environ.get("ALBACORE_SANDBOX_URL", "")
    if given and not url:
        return sorted(given)
    with _installed():
        from albacore_sandbox.addresses import is_of

        mixed = sorted(name for name, value in given.items() if not is_of(url, name=name, value=value))
    if mixed:
        raise SettingsError(
            f"{', '.join(mixed)}: not the sandbox's, though ALBACORE_SANDBOX_URL is set: unset what is real for the"
            " sandbox, or begin a new shell for the real world"
        )
    return []


def off() -> list[str]:
    """What a real world can do without, and lacks: the variables of sites, controls, Xero and the relay not set."""
    controls = [
        f"{site.name.upper()}_CONTROL_URL"
        for site in SITES.values()
        if not isinstance(site.control, TicketControl | ZabbixScriptControl)  # a ticket; Zabbix is one address for both
    ]
    names = [*(f"{site.upper()}_URL" for site in SITES), *controls, "XERO_CLIENT_ID", "SMTP_URL"]
    return [name for name in names if not os.environ.get(name)]


def enter_sandbox(*, home: Path, registry: str) -> dict[str, str]:
    """Start a home's sandbox if it does not run; every variable that leads to it, and lets documents leave for it.

    A folder for the registry that a person gave stays; one that a sandbox wrote is set anew.
    """
    with _installed():
        from albacore_sandbox import process

        url = process.start(home=home / "sandbox").url
    folder = Path(registry)
    if not registry or folder.parts[-2:] == WRITTEN:
        folder = home.joinpath(*WRITTEN)
        if not folder.exists():
            ask_sandbox(url, "POST", "registry", {"dir": str(folder)})
    return {
        **ask_sandbox(url, "GET", "addresses")["variables"],
        "ALBACORE_SANDBOX_URL": url,
        "ALBACORE_EFFECTS": "live",  # everything that leaves goes to the sandbox: it may leave
        "ALBACORE_LIVE_FROM": STORY_MONTH,
        "ALBACORE_REGISTRY": str(folder),
    }


def leave_sandbox(*, home: Path) -> bool:
    """End a home's sandbox; False if none ran."""
    if not (home / "sandbox").exists():
        return False
    with _installed():
        from albacore_sandbox import process

        return process.stop(home=home / "sandbox")


def ask_sandbox(url: str, method: str, path: str, body: Any = None, *, params: Mapping[str, str] | None = None) -> Any:
    """What a sandbox answers to a request below `/sandbox`; raises httpx.HTTPError."""
    answer = httpx.request(
        method, f"{url}/sandbox/{path}", json=body, params=params, timeout=60, trust_env=False, verify=trusted()
    )
    return answer.raise_for_status().json()


def _outward() -> list[str]:
    """The variables by which a world is told: every address, and who we are to Xero, whose address has a default."""
    own = [field.alias or name for name, field in Settings.model_fields.items() if is_outward(field)]
    sites = [name for name, field in SiteSettings.model_fields.items() if is_outward(field)]
    return [*own, *(f"{site}_{name}".upper() for site in SITES for name in sites), "XERO_CLIENT_ID"]
