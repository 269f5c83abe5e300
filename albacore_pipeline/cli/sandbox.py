"""`sandbox advance` and `sandbox status`: the clock of a played world."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from albacore_pipeline.cli import world
from albacore_pipeline.cli.home import start_home
from albacore_pipeline.cli.terminal import console
from albacore_pipeline.settings import SettingsError


def advance(days: Annotated[float, typer.Argument(min=0, max=36_500)]) -> None:
    """Move the sandbox's clock on, never beyond the real today."""
    console.print(_asked("POST", "clock", {"days": days})["now"])


def status() -> None:
    """Say where the sandbox's clock stands, and what its world holds."""
    answer = _asked("GET", "status")
    console.print(f"{answer['now']}  machines {answer['fleet']}  {answer['counts']}")


def _asked(method: str, path: str, body: Any = None) -> Any:
    running = start_home()
    if not running.sandbox_url:
        raise SettingsError(f"there is no sandbox beside what is real: {', '.join(world.real_variables())}")
    return world.ask_sandbox(running.sandbox_url, method, path, body)
