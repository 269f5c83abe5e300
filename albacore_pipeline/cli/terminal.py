"""What every command shares: the console, and words that are read as a day or a month."""

from __future__ import annotations

from datetime import date

import typer
from rich.console import Console

from albacore_pipeline.periods import Month

console = Console(highlight=False, soft_wrap=True)


def as_day(text: str) -> date:
    """A day written as 2025-10-26."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write it as 2025-10-26") from None


def as_month(text: str) -> Month:
    """A month written as 2025-10."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
