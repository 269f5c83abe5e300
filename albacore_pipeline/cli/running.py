"""`demo`, `up`, `down` and `env`: a whole world started and stopped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from albacore_pipeline.cli import home, world
from albacore_pipeline.cli.home import RunningHome, start_home
from albacore_pipeline.cli.terminal import console
from albacore_pipeline.settings import Settings


class StoryFailed(Exception):
    """The story can't go on. One line: cause and mend."""


def demo() -> None:
    """Tell the whole story on the sandbox: collect, bill, invoice, remind, pause, resume, verify."""
    home.forget_variables()
    settings = Settings.as_given()
    with home.only_one(settings.home, name="demo"):
        console.print("Starting the embedded database and the sandbox")
        running = home.start(settings=settings)
        from albacore_pipeline.cli.demo import story
        from albacore_pipeline.cli.summary import summarise

        with story(running=running, console=console) as the_story:
            the_story.tell()
            sound = summarise(running=running, console=console)
    if not sound:
        sys.exit(1)


def up(port: Annotated[int, typer.Option(min=1, max=65535, help="port of the web interface")] = 3000) -> None:
    """Start the database, the sandbox where nothing real is configured, and Dagster on http://127.0.0.1:3000."""
    from albacore_pipeline.cli.serve import serve

    settings = Settings.as_given()
    with home.only_one(settings.home, name="up") as lock:
        running = home.start(settings=settings)
        if not running.sandbox_url and (lacking := world.off()):
            real = ", ".join(world.real_variables())
            console.print(f"No sandbox beside what is real ({real}); not set, and so off: {', '.join(lacking)}")
        _load_registry_once(running)
        _end_orphans()
        console.print(f"Starting Dagster on http://127.0.0.1:{port}; Ctrl-C or `albacore down` ends it")
        code = serve(port=port, dagster_home=Path(running.environment["DAGSTER_HOME"]), lock=lock)
        console.print("Dagster has stopped; the database and the sandbox still run: albacore down stops them")
    sys.exit(1 if code else 0)


def down() -> None:
    """Stop what `up` and `demo` left running."""
    stopped = home.stop(Settings.as_given().home)
    console.print(f"Stopped {', '.join(stopped)}" if stopped else "Nothing was running")


def env() -> None:
    """Print `export …` lines, so that plain `dagster` and `psql` work: eval "$(albacore env)"."""
    print(start_home().exports())


def _load_registry_once(running: RunningHome) -> None:
    """Load the registry of a new sandbox without being asked, so that the sensors have something to work on."""
    if not running.sandbox_url:
        return
    from albacore_pipeline.effects.acts import perform
    from albacore_pipeline.registry.acts import LoadRegistry, load_registry
    from albacore_pipeline.registry.files import read_registry
    from albacore_pipeline.registry.store import version_in_force

    settings, engine = running.settings, running.engine()
    with engine.connect() as connection:
        if version_in_force(connection) is not None:
            return
    act = load_registry(read_registry(settings.registry_folder))
    form = LoadRegistry(actor="albacore up", reason="a new sandbox")
    perform("load_registry", act, form, engine=engine, now=settings.clock().now())


def _end_orphans() -> None:
    import dagster as dg

    from albacore_pipeline.cli.ticks import end_orphans

    with dg.DagsterInstance.get() as instance:
        end_orphans(instance)
