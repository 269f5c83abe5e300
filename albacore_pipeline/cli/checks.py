"""`doctor` and `verify`: whether the pipeline can work, and whether what it stored holds."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from albacore_pipeline.cli.home import start_home
from albacore_pipeline.cli.terminal import as_month, console


def doctor() -> None:
    """Check settings, database, migrations, each site's API, Xero and mail; a line each with the mend."""
    from albacore_pipeline.oversight.doctor import examine

    findings = examine(start_home().settings)
    for finding in findings:
        console.print(
            f"[{'green' if finding.good else 'red'}]{'ok  ' if finding.good else 'FAIL'}[/] {finding.what}: ", end=""
        )
        console.print(finding.detail, markup=False)
    if not all(finding.good for finding in findings):
        sys.exit(1)


def verify(
    month: Annotated[str, typer.Option(help="YYYY-MM; all months without it")] = "",
    live: Annotated[bool, typer.Option(help="ask Xero now")] = False,
) -> None:
    """Prove the invariants on what is stored: energy, money, documents, Xero, the audit chain."""
    from albacore_pipeline.oversight.verify import verify as prove

    only = as_month(month) if month else None
    running = start_home()
    if live:
        from albacore_pipeline.invoicing.payments import reconcile
        from albacore_pipeline.xero.client import connect

        clock = running.settings.clock()
        reconcile(engine=running.engine(), xero=connect(settings=running.settings, clock=clock), clock=clock)
    with running.engine().connect() as connection:
        breaks = prove(connection, month=only)
    for broken in breaks:
        console.print(broken, style="red", markup=False)
    console.print(f"{month or 'all months'}: {f'{len(breaks)} breaks' if breaks else 'everything holds'}")
    if breaks:
        sys.exit(1)
