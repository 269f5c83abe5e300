"""Jobs of one op that a person starts in the Launchpad with a filled-in form: the Dagster face of `effects/acts.py`."""

from typing import TypeVar, cast

import dagster as dg
from pydantic import create_model

from albacore_pipeline.effects.acts import Act, Done, OperatorForm, perform
from albacore_pipeline.orchestration.platform import PlatformResource

Form = TypeVar("Form", bound=OperatorForm)


def operator_job(name: str, form: type[Form], act: Act[Form, Done]) -> dg.JobDefinition:
    """A job of that name that fills in `form` and performs `act`, which leaves one audit entry under the same name.

    A LookupError or ValueError of the act fails the run with its one line, and nothing is changed.
    """
    bases = (dg.Config, form)
    as_config = create_model(form.__name__, __base__=bases)

    @dg.op(name=f"perform_{name}", description=act.__doc__)
    def perform_act(context: dg.OpExecutionContext, config: as_config, platform: PlatformResource) -> None:
        filled_in = cast(Form, config)
        try:
            done = perform(name, act, filled_in, engine=platform.engine, now=platform.clock.now())
        except KeyError:
            raise  # a fault of the program, not of the form
        except (LookupError, ValueError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        context.log.info(done.words)
        context.add_output_metadata({"done": done.words})

    @dg.job(name=name, description=act.__doc__, tags={"dagster/max_retries": "0"})
    def job() -> None:
        perform_act()

    return job
