"""`explain` and `statement`: what stands behind a document, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from albacore_pipeline.archive import Archive
from albacore_pipeline.cli.home import start_home
from albacore_pipeline.cli.terminal import as_day, console


def explain(
    number: Annotated[str | None, typer.Argument(help="a document: ALB-2025-000123")] = None,
    line: Annotated[int | None, typer.Option(help="one line of it only")] = None,
    record: Annotated[int | None, typer.Option(help="a billing record instead")] = None,
    machine: Annotated[str | None, typer.Option(help="a machine's day instead, with --day: NO-0001")] = None,
    customer: Annotated[str | None, typer.Option(help="where a customer stands, why, and what comes next")] = None,
    day: Annotated[str | None, typer.Option(help="the site's calendar day: 2025-10-26")] = None,
) -> None:
    """From a line, a record or a machine's day to the archived raw answers; or where a customer stands, and why."""
    from albacore_pipeline.oversight import explain as walk
    from albacore_pipeline.oversight.explain_customer import explain_customer

    named = [number, record, machine, customer]
    if sum(each is not None for each in named) != 1 or bool(machine) != bool(day):
        raise typer.BadParameter("name a document, or --record, --customer, or --machine together with --day")
    running = start_home()
    archive = Archive(running.settings.archive_url)
    with running.engine().connect() as connection:
        if number is not None:
            lines = walk.explain_document(connection, number=number, line=line, archive=archive)
        elif customer is not None:
            lines = explain_customer(connection, customer=customer)
        elif record is not None:
            lines = walk.explain_record(connection, record=record, archive=archive)
        else:
            lines = walk.explain_day(connection, machine=str(machine), day=as_day(str(day)), archive=archive)
        for text in lines:
            console.print(text, markup=False)


def statement(
    number: Annotated[str, typer.Argument(help="a document: ALB-2025-000123")],
    to: Annotated[Path | None, typer.Option(help="the file; NUMBER.pdf here unless said otherwise")] = None,
) -> None:
    """Write a document's statement as PDF, also before anything is sent."""
    from albacore_pipeline.invoicing.statement.facts import statement_facts
    from albacore_pipeline.invoicing.statement.pdf import statement_pdf

    path = to or Path(f"{number}.pdf")
    with start_home().engine().connect() as connection:
        path.write_bytes(statement_pdf(statement_facts(connection, number=number)))
    console.print(str(path), markup=False)
