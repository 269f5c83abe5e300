"""`policy show`: an escalation policy as people read it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from albacore_pipeline.cli.home import start_home
from albacore_pipeline.cli.terminal import console


def group() -> None:
    """Escalation policies."""


def show(
    name: Annotated[str | None, typer.Argument(help="a policy of policies.yaml; empty: the default stages")] = None,
) -> None:
    """Print the stages of a policy as a table and a diagram."""
    from albacore_pipeline.escalation.described import described
    from albacore_pipeline.registry.policies import Policy
    from albacore_pipeline.registry.store import policy_in_force

    policy = Policy()
    if name is not None:
        with start_home().engine().connect() as connection:
            policy = policy_in_force(connection, name=name, now=datetime.now().astimezone())
    console.print(described(policy), markup=False, soft_wrap=True)
