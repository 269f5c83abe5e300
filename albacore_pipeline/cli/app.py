"""The commands. Each is short: it parses, calls a room, and prints."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import httpx
import psycopg
import sqlalchemy as sa
import typer
from rich.console import Console

from albacore_pipeline.archive import Archive, ArchiveFailure
from albacore_pipeline.cli import home, world
from albacore_pipeline.data_centres.interface import FailedRead, PowerFailure
from albacore_pipeline.database.embedded import EmbeddedFailure
from albacore_pipeline.invoicing.statement.pdf import StatementFailure
from albacore_pipeline.periods import ClockFailure, Month
from albacore_pipeline.registry.files import Problem, RegistryRefused
from albacore_pipeline.settings import Settings, SettingsError
from albacore_pipeline.xero.interface import XeroError

console = Console(highlight=False, soft_wrap=True)
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From the machines' energy to paid invoices.",
)
sandbox_app = typer.Typer(no_args_is_help=True, help="The sandbox's clock.")
registry_app = typer.Typer(no_args_is_help=True, help="Customers, assignments, tariffs and policies.")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(registry_app, name="registry")

MOST_NOTES = 50
KNOWN = (
    ArchiveFailure, ClockFailure, EmbeddedFailure, FailedRead, home.InUse, LookupError, PowerFailure, RegistryRefused,
    SettingsError, StatementFailure, world.SandboxFailure, XeroError,
)  # fmt: skip


def main() -> None:
    """Run a command; what is known to go wrong is one line, never a traceback."""
    from albacore_pipeline.cli.demo import StoryFailed

    try:
        app(prog_name="albacore")
    except RegistryRefused as refused:
        _fail("\n".join(map(str, refused.problems)))
    except (*KNOWN, StoryFailed) as error:
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


@app.command()
def demo() -> None:
    """Tell the whole story on the sandbox: collect, bill, invoice, remind, pause, resume, verify."""
    home.alone()
    settings = Settings.as_given()
    with home.only_one(settings.home, name="demo"):
        console.print("Starting the embedded database and the sandbox")
        place = home.start(settings=settings)
        from albacore_pipeline.cli.demo import story
        from albacore_pipeline.cli.summary import summarise

        with story(place=place, console=console) as told:
            told.tell()
            sound = summarise(place=place, console=console)
    if not sound:
        sys.exit(1)


@app.command()
def up(port: Annotated[int, typer.Option(min=1, max=65535, help="port of the web interface")] = 3000) -> None:
    """Start the database, the sandbox where nothing real is configured, and Dagster on http://127.0.0.1:3000."""
    from albacore_pipeline.cli.serve import serve

    settings = Settings.as_given()
    with home.only_one(settings.home, name="up") as lock:
        place = home.start(settings=settings)
        if not place.sandbox_url and (lacking := world.off()):
            real = ", ".join(world.real_variables())
            console.print(f"No sandbox beside what is real ({real}); not set, and so off: {', '.join(lacking)}")
        _load_registry_once(place)
        _end_orphans()
        console.print(f"Starting Dagster on http://127.0.0.1:{port}; Ctrl-C or `albacore down` ends it")
        code = serve(port=port, dagster_home=Path(place.environment["DAGSTER_HOME"]), lock=lock)
        console.print("Dagster has stopped; the database and the sandbox still run: albacore down stops them")
    sys.exit(1 if code else 0)


@app.command()
def down() -> None:
    """Stop what `up` and `demo` left running."""
    stopped = home.stop(Settings.as_given().home)
    console.print(f"Stopped {', '.join(stopped)}" if stopped else "Nothing was running")


@app.command()
def env() -> None:
    """Print `export …` lines, so that plain `dagster` and `psql` work: eval "$(albacore env)"."""
    print(_place().exports())


@sandbox_app.command("advance")
def advance(days: Annotated[float, typer.Argument(min=0)]) -> None:
    """Move the sandbox's clock on, never beyond the real today."""
    console.print(_sandbox("POST", "clock", {"days": days})["now"])


@sandbox_app.command("status")
def status() -> None:
    """Say where the sandbox's clock stands, and what its world holds."""
    told = _sandbox("GET", "status")
    console.print(f"{told['now']}  machines {told['fleet']}  {told['counts']}")


def _place() -> home.Place:
    """The place that the environment names, running."""
    return home.start(settings=Settings.as_given())


def _sandbox(method: str, path: str, body: Any = None) -> Any:
    place = _place()
    if not place.sandbox_url:
        raise SettingsError(f"there is no sandbox beside what is real: {', '.join(world.real_variables())}")
    return world.ask_sandbox(place.sandbox_url, method, path, body)


@app.command()
def doctor() -> None:
    """Check settings, database, migrations, each site's API, Xero and mail; a line each with the mend."""
    from albacore_pipeline.oversight.doctor import examine

    findings = examine(_place().settings)
    for finding in findings:
        console.print(
            f"[{'green' if finding.good else 'red'}]{'ok  ' if finding.good else 'FAIL'}[/] {finding.what}: ", end=""
        )
        console.print(finding.detail, markup=False)
    if not all(finding.good for finding in findings):
        sys.exit(1)


@app.command()
def verify(
    month: Annotated[str, typer.Option(help="YYYY-MM; all months without it")] = "",
    live: Annotated[bool, typer.Option(help="ask Xero now")] = False,
) -> None:
    """Prove the invariants on what is stored: energy, money, documents, Xero, the audit chain."""
    from albacore_pipeline.oversight.verify import verify as prove

    wanted = _month(month) if month else None
    place = _place()
    if live:
        from albacore_pipeline.invoicing.payments import reconcile
        from albacore_pipeline.xero.client import connect

        clock = place.settings.clock()
        reconcile(engine=place.engine(), xero=connect(settings=place.settings, clock=clock), clock=clock)
    with place.engine().connect() as connection:
        breaks = prove(connection, month=wanted)
    for broken in breaks:
        console.print(broken, style="red", markup=False)
    console.print(f"{month or 'all months'}: {f'{len(breaks)} breaks' if breaks else 'everything holds'}")
    if breaks:
        sys.exit(1)


@app.command()
def explain(
    number: Annotated[str | None, typer.Argument(help="a document: ALB-2025-000123")] = None,
    line: Annotated[int | None, typer.Option(help="one line of it only")] = None,
    record: Annotated[int | None, typer.Option(help="a billing record instead")] = None,
    machine: Annotated[str | None, typer.Option(help="a machine's day instead, with --day: NO-0001")] = None,
    day: Annotated[str | None, typer.Option(help="the site's calendar day: 2025-10-26")] = None,
) -> None:
    """From an invoice line, a record or a machine's day to collections and the archived raw answers."""
    from albacore_pipeline.oversight import explain as walk

    if [number is not None, record is not None, machine is not None].count(True) != 1 or bool(machine) != bool(day):
        raise typer.BadParameter("name a document, or --record, or --machine together with --day")
    place = _place()
    archive = Archive(place.settings.archive_url)
    with place.engine().connect() as connection:
        if number is not None:
            said = walk.explain_document(connection, number=number, line=line, archive=archive)
        elif record is not None:
            said = walk.explain_record(connection, record=record, archive=archive)
        else:
            said = walk.explain_day(connection, machine=str(machine), day=_day(str(day)), archive=archive)
        for text in said:
            console.print(text, markup=False)


@app.command()
def statement(
    number: Annotated[str, typer.Argument(help="a document: ALB-2025-000123")],
    to: Annotated[Path | None, typer.Option(help="the file; NUMBER.pdf here unless said otherwise")] = None,
) -> None:
    """Write a document's statement as PDF, also before anything is sent."""
    from albacore_pipeline.invoicing.statement.facts import statement_facts
    from albacore_pipeline.invoicing.statement.pdf import statement_pdf

    path = to or Path(f"{number}.pdf")
    with _place().engine().connect() as connection:
        path.write_bytes(statement_pdf(statement_facts(connection, number=number)))
    console.print(str(path), markup=False)


@registry_app.command("check")
def check(folder: Path) -> None:
    """Validate a folder as a whole: every error with file, line and column, and notes on what is odd."""
    from albacore_pipeline.registry.files import read_registry

    content = read_registry(folder)
    _note(content.notes)
    rows: dict[str, Sequence[object]] = {
        "customers": content.customers, "assignments": content.assignments, "tariffs": content.tariffs,
        "tariff bands": content.bands, "prices": content.prices, "entities": content.entities,
        "machines": content.machines,
    }  # fmt: skip
    console.print(f"good: {', '.join(f'{len(found)} {what}' for what, found in rows.items() if found)}")


def _note(notes: Sequence[Problem]) -> None:
    """Print what is odd and yet no reason to refuse a registry."""
    for note in notes[:MOST_NOTES]:
        console.print(f"note: {note}", style="yellow", markup=False)
    if len(notes) > MOST_NOTES:
        console.print(f"note: and {len(notes) - MOST_NOTES} more", style="yellow")


@registry_app.command("load")
def load(
    folder: Path,
    plan: Annotated[bool, typer.Option(help="show what the load would change, and change nothing")] = False,
    actor: Annotated[str, typer.Option(help="who loads it, for the audit; your login without it")] = "",
    reason: Annotated[str, typer.Option(help="why, for the audit")] = "loaded on the command line",
) -> None:
    """Load a folder, all or nothing; each load is a version with its sha256, who loaded it and why."""
    from albacore_pipeline.billing.plan import plan_load
    from albacore_pipeline.effects.acts import perform
    from albacore_pipeline.registry.acts import LoadRegistry, load_registry
    from albacore_pipeline.registry.files import read_registry

    content = read_registry(folder)
    place = _place()
    now = place.settings.clock().now()
    if plan:
        for text in plan_load(place.engine(), content, now=now):
            console.print(text, markup=False)
        return
    form = LoadRegistry(actor=actor or _login(), reason=reason)
    done = perform("load_registry", load_registry(content), form, engine=place.engine(), now=now)
    loaded = done.loaded
    if loaded.unseen:
        names = f"{', '.join(loaded.unseen)}{', …' if loaded.unseen_count > len(loaded.unseen) else ''}"
        console.print(f"note: no site has shown {loaded.unseen_count} of the machines yet: {names}", style="yellow")
    console.print(done.words)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # a user without a name, as in some containers
        return f"user {os.getuid()}"


def _load_registry_once(place: home.Place) -> None:
    """Load the registry of a new sandbox without being asked, so that the sensors have something to work on."""
    if not place.sandbox_url:
        return
    from albacore_pipeline.effects.acts import perform
    from albacore_pipeline.registry.acts import LoadRegistry, load_registry
    from albacore_pipeline.registry.files import read_registry

    settings, engine = place.settings, place.engine()
    with engine.connect() as connection:
        if connection.execute(sa.text("select exists (select from albacore.registry_version)")).scalar_one():
            return
    act = load_registry(read_registry(settings.registry_folder))
    form = LoadRegistry(actor="albacore up", reason="a new sandbox")
    perform("load_registry", act, form, engine=engine, now=settings.clock().now())


def _end_orphans() -> None:
    import dagster as dg

    from albacore_pipeline.cli.ticks import end_orphans

    with dg.DagsterInstance.get() as instance:
        end_orphans(instance)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write it as 2025-10-26") from None


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
