"""`registry check` and `registry load`: the files of customers, assignments, tariffs and policies."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from albacore_pipeline.cli.home import start_home
from albacore_pipeline.cli.terminal import console
from albacore_pipeline.registry.files import Problem

MOST_NOTES = 50


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

    if not reason.strip():
        raise typer.BadParameter("say why, for the audit", param_hint="--reason")
    content = read_registry(folder)
    running = start_home()
    now = running.settings.clock().now()
    if plan:
        for text in plan_load(running.engine(), content, now=now):
            console.print(text, markup=False)
        return
    form = LoadRegistry(actor=actor.strip() or _login(), reason=reason)
    done = perform("load_registry", load_registry(content), form, engine=running.engine(), now=now)
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
