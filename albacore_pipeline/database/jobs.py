"""One-op jobs that a person starts in the Launchpad with a filled-in form."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from albacore_pipeline.database.resources import PlatformResource


class ByHand(dg.Config):
    """What every such form asks for."""

    actor: str = Field(description="who does this: an e-mail address or a login", min_length=1)
    reason: str = Field(description="why, for the audit", min_length=1)


Form = TypeVar("Form", bound=ByHand)


def hand_job(name: str, form: type[Form], act: Callable[[sa.Connection, Form, datetime], str]) -> dg.JobDefinition:
    """A job of that name that fills in `form` and acts in one transaction; `act` says in a line what it did.

    A LookupError or ValueError of `act` fails the run with its one line, and nothing is changed.
    """

    @dg.op(name=f"{name}_by_hand", description=act.__doc__)
    def by_hand(context: dg.OpExecutionContext, config: form, platform: PlatformResource) -> None:  # type: ignore[valid-type]
        try:
            with platform.engine.begin() as connection:
                said = act(connection, config, platform.clock.now())
        except (LookupError, ValueError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        context.log.info(said)
        context.add_output_metadata({"done": said})

    @dg.job(name=name, description=act.__doc__, tags={"dagster/max_retries": "0"})
    def job() -> None:
        by_hand()

    return job
