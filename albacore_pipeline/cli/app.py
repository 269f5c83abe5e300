"""The command line put together, and how its errors end: one clear line, never a traceback.

Each command group is a module beside this one; a command is short: it parses, calls a room, and prints.
"""

from __future__ import annotations

import sys

import httpx
import psycopg
import sqlalchemy as sa
import typer
from rich.console import Console

from albacore_pipeline.archive import ArchiveFailure
from albacore_pipeline.cli import checks, explanations, policies, registry, running, sandbox, world
from albacore_pipeline.cli.home import InUse
from albacore_pipeline.data_centres.interface import FailedRead, PowerFailure
from albacore_pipeline.database.embedded import EmbeddedFailure
from albacore_pipeline.database.migrate import UnknownSchema
from albacore_pipeline.invoicing.statement.pdf import StatementFailure
from albacore_pipeline.periods import ClockFailure
from albacore_pipeline.registry.problems import RegistryRefused
from albacore_pipeline.settings import SettingsError
from albacore_pipeline.xero.interface import XeroError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From the machines' energy to paid invoices.",
)
app.command()(running.demo)
app.command()(running.up)
app.command()(running.down)
app.command()(running.env)
app.command()(checks.doctor)
app.command()(checks.verify)
app.command()(explanations.explain)
app.command()(explanations.statement)

sandbox_app = typer.Typer(no_args_is_help=True, help="The sandbox's clock.")
sandbox_app.command()(sandbox.advance)
sandbox_app.command()(sandbox.status)
app.add_typer(sandbox_app, name="sandbox")

registry_app = typer.Typer(no_args_is_help=True, help="Customers, assignments, tariffs and policies.")
registry_app.command()(registry.check)
registry_app.command()(registry.load)
app.add_typer(registry_app, name="registry")

policy_app = typer.Typer(help="Escalation policies.")
policy_app.callback()(policies.group)
policy_app.command()(policies.show)
app.add_typer(policy_app, name="policy")

KNOWN = (
    ArchiveFailure, ClockFailure, EmbeddedFailure, FailedRead, InUse, LookupError, PowerFailure, RegistryRefused,
    SettingsError, StatementFailure, running.StoryFailed, UnknownSchema, world.SandboxFailure, XeroError,
)  # fmt: skip


def main() -> None:
    """Run a command; what is known to go wrong is one line."""
    try:
        app(prog_name="albacore")
    except RegistryRefused as refused:
        _fail("\n".join(map(str, refused.problems)))
    except KeyError:
        raise  # a LookupError that nobody meant: a fault of the program
    except KNOWN as error:
        _fail(str(error))
    except (sa.exc.OperationalError, psycopg.OperationalError) as error:
        _fail(
            f"the database does not answer ({str(getattr(error, 'orig', error)).splitlines()[0]}):"
            " check ALBACORE_DATABASE_URL"
        )
    except sa.exc.ArgumentError:
        _fail("ALBACORE_DATABASE_URL is not the URL of a PostgreSQL: postgresql+psycopg://USER:PASSWORD@HOST/DATABASE")
    except httpx.HTTPError as error:
        _fail(f"the sandbox does not answer ({type(error).__name__}): albacore down, then again")


def _fail(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, style="red", markup=False)
    sys.exit(1)
