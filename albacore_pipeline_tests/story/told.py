"""A place where the story has been told, and ways to look at it from outside.

Belongs here: running the commands as a user does, in processes of their own, and reading what they left.
Does not belong here: what must be true of it; that is in the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from albacore_pipeline.cli.world import ask_sandbox
from albacore_pipeline.database import connect, embedded
from albacore_pipeline.settings import PROJECT
from albacore_pipeline.sites import SITES
from albacore_pipeline_tests.commands import albacore

CANARY = "canary-7f3a91c04e"
NOWHERE = "127.0.0.1:1"  # nothing listens there
PATIENCE = 600  # seconds for a command; the tests have deadlines of their own


def canaries() -> dict[str, str]:
    """Variables of a careless shell: every system is configured, unreachable, and has a secret."""
    sites = {
        f"{site.upper()}_{name}": value
        for site in SITES
        for name, value in {
            "URL": f"http://{NOWHERE}/{CANARY}-{site}-path",
            "USERNAME": f"{CANARY}-{site}-user",
            "PASSWORD": f"{CANARY}-{site}-energy",
            "CONTROL_URL": f"http://{NOWHERE}",
            "CONTROL_USERNAME": f"{CANARY}-{site}-operator",
            "CONTROL_PASSWORD": f"{CANARY}-{site}-control",
            "STARTS_ON": "2026-01-01",
        }.items()
    }
    return sites | {
        "ALBACORE_DATABASE_URL": f"postgresql+psycopg://somebody:{CANARY}-ours@{NOWHERE}/none",
        "ALBACORE_DAGSTER_DATABASE_URL": f"postgresql+psycopg2://somebody:{CANARY}-dagsters@{NOWHERE}/none",
        "ALBACORE_ARCHIVE": f"/nowhere/{CANARY}",
        "ALBACORE_REGISTRY": f"/nowhere/{CANARY}",
        "ALBACORE_EFFECTS": "dry_run",
        "ALBACORE_LIVE_FROM": "2099-01",
        "ALBACORE_SANDBOX_URL": f"http://{NOWHERE}",
        "ALBACORE_CLOCK_URL": f"http://{NOWHERE}/{CANARY}",
        "ALBACORE_XERO_TENANT_ID": f"{CANARY}-tenant",
        "XERO_CLIENT_ID": f"{CANARY}-client",
        "XERO_CLIENT_SECRET": f"{CANARY}-xero",
        "XERO_API_URL": f"http://{NOWHERE}",
        "XERO_TOKEN_URL": f"http://{NOWHERE}",
        "XERO_WEBHOOK_KEY": f"{CANARY}-webhook",
        "SMTP_URL": f"smtp://somebody:{CANARY}-mail@{NOWHERE}",
        "ALBACORE_BOUNCES_URL": f"imaps://somebody:{CANARY}-bounces@{NOWHERE}/INBOX",
        "MAIL_FROM": f"{CANARY}@example.com",
        "PGHOST": "127.0.0.1",
        "PGPORT": "1",
        "PGPASSWORD": f"{CANARY}-libpq",
        "DAGSTER_HOME": f"/nowhere/{CANARY}",
        "TZ": "Pacific/Kiritimati",
    }


@dataclass(kw_only=True)
class Told:
    """A home whose story was told, once the fixture has done so."""

    home: Path
    said: str = ""
    outputs: list[str] = field(default_factory=list)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A shell in which nothing is configured but the home."""
        plain = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return plain | {"ALBACORE_HOME": str(self.home), "PYTHONPATH": str(PROJECT), "LANG": "C.UTF-8", **(more or {})}

    def demo(self, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `albacore demo` to its end, from the first line of Python on; what it says is kept too."""
        command = [sys.executable, "-m", "albacore_pipeline.cli", "demo"]
        return self._kept(
            subprocess.run(
                command, env=self.environment(variables), cwd="/", capture_output=True, text=True, timeout=PATIENCE
            )
        )

    def albacore(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `albacore …` to its end; what it says is kept for the search for secrets."""
        return self._kept(albacore(*words, variables=self.environment(), folder="/"))

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in a POSIX shell that knows what `albacore env` printed; `$python` is this Python."""
        whole = f'set -eu; exports="$("$python" -m albacore_pipeline.cli env)"; eval "$exports"; {script}'
        return self._kept(
            subprocess.run(
                ["/bin/sh", "-c", whole],
                env=self.environment({"python": sys.executable}),
                cwd="/",
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        )

    def _kept(self, ended: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
        self.outputs.append(ended.stdout + ended.stderr)
        return ended

    def engine(self) -> sa.Engine:
        """The platform database; the embedded server is started if it is down."""
        return connect(embedded.start(home=self.home).database_url)

    def rows(self, query: str) -> list[Any]:
        """What a query answers."""
        with self.engine().connect() as connection:
            return list(connection.execute(sa.text(query)).all())

    def sandbox(self, path: str) -> Any:
        """What the sandbox answers below `/sandbox`; it is started if it is down."""
        shown = self.albacore("env")
        assert shown.returncode == 0, shown.stderr
        url = next(line for line in shown.stdout.splitlines() if line.startswith("export ALBACORE_SANDBOX_URL="))
        return ask_sandbox(url.partition("=")[2].strip("'\""), "GET", path)

    def dump(self, database: str) -> str:
        """Everything in a database, as `pg_dump` writes it."""
        server = embedded.start(home=self.home)
        url = sa.make_url(server.database_url)
        command = [str(server.bin_path / "pg_dump"), "-h", str(url.query["host"]), "-U", str(url.username), database]
        dumped = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
        return dumped.stdout

    def processes(self) -> list[psutil.Process]:
        """Whatever still runs for this home: by its command line, its environment, or the folder it works in."""
        data = str((self.home / "postgres").resolve())
        return [
            process for process in psutil.process_iter() if process.pid != os.getpid() and self._is_ours(process, data)
        ]

    def _is_ours(self, process: psutil.Process, data: str) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            words = process.cmdline()
            return (
                any(str(self.home) in word or data in word for word in words)
                or process.cwd().startswith(data)
                or process.environ().get("ALBACORE_HOME") == str(self.home)
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


def described(processes: Iterable[psutil.Process]) -> list[str]:
    """Processes as a failed test should show them."""
    return [f"{process.pid} {' '.join(process.cmdline())[:120]}" for process in processes]
