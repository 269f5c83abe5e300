"""The steps of a rating, in order: which file, which table it makes or writes, what it reads, and its parameters.

A tariff kind, a rule of estimates, a reason for a block: each is a step, or a part of one. `docs/rating.md` has the
picture that is made from this list.
"""

from __future__ import annotations

from dataclasses import dataclass

DAYS = ("first_day", "last_day")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A file of `sql/billing/rating/`. `reads` names the tables of this rating that it reads, not those of the schema.

    `makes` is a temporary table, which lives until the rating ends; `writes` is a table of the schema. One of both.
    """

    file: str
    makes: str = ""
    writes: str = ""
    reads: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


# What the month stands on: readings, assignments, tariffs, policies, and the hours that may be estimated.
FOUNDATIONS = (
    Step(file="billing/rating/01_accepted_readings", makes="accepted_readings", parameters=DAYS),
    Step(file="billing/rating/02_billable_assignments", makes="billable_assignments", parameters=DAYS),
    Step(
        file="billing/rating/03_tariff_periods",
        makes="tariff_periods",
        reads=("billable_assignments",),
        parameters=DAYS,
    ),
    Step(
        file="billing/rating/04_span",
        makes="span",
        reads=("billable_assignments", "tariff_periods"),
        parameters=("last_day",),
    ),
    Step(file="billing/rating/05_customer_policy", makes="customer_policy", parameters=("first_day",)),
    Step(
        file="billing/rating/06_estimated_days",
        makes="estimated_days",
        reads=("accepted_readings", "customer_policy", "span"),
    ),
)

# Estimates are versioned by the ratings that made them, so the run is opened first.
ESTIMATES = (
    Step(
        file="billing/rating/07_end_estimates",
        writes="albacore.machine_estimate",
        reads=("estimated_days",),
        parameters=("billing_run_id", *DAYS),
    ),
    Step(
        file="billing/rating/08_begin_estimates",
        writes="albacore.machine_estimate",
        reads=("estimated_days",),
        parameters=("billing_run_id",),
    ),
)

# From energy to exact amounts, and what follows for each customer.
AMOUNTS = (
    Step(
        file="billing/rating/09_span_energy",
        makes="span_energy",
        reads=("accepted_readings", "estimated_days", "span"),
        parameters=(*DAYS, "collections"),
    ),
    Step(file="billing/rating/10_hour_price", makes="hour_price", reads=("span",), parameters=DAYS),
    Step(
        file="billing/rating/11_blocked_customer",
        makes="blocked_customer",
        reads=("accepted_readings", "customer_policy", "estimated_days", "hour_price", "span", "span_energy"),
    ),
    Step(
        file="billing/rating/12_estimated_energy",
        makes="estimated_energy",
        reads=("accepted_readings", "estimated_days", "hour_price", "span_energy"),
    ),
    Step(
        file="billing/rating/13_band_energy",
        makes="band_energy",
        reads=("estimated_days", "estimated_energy", "hour_price", "span"),
        parameters=(*DAYS, "collections"),
    ),
    Step(
        file="billing/rating/14_index_energy",
        makes="index_energy",
        reads=("estimated_days", "estimated_energy", "hour_price", "span"),
        parameters=(*DAYS, "collections"),
    ),
    Step(file="billing/rating/15_tier_energy", makes="tier_energy", reads=("span", "span_energy")),
    Step(
        file="billing/rating/16_rated_record",
        makes="rated_record",
        reads=("band_energy", "blocked_customer", "index_energy", "span", "span_energy", "tier_energy"),
        parameters=DAYS,
    ),
    Step(
        file="billing/rating/17_rating_result",
        makes="rating_result",
        reads=("blocked_customer", "rated_record", "span"),
        parameters=("first_day",),
    ),
)

# What becomes of it in the schema.
WRITES = (
    Step(file="billing/rating/18_withdraw", writes="albacore.customer_month", reads=("rating_result",)),
    Step(
        file="billing/rating/19_write_months",
        writes="albacore.customer_month",
        reads=("rated_record", "rating_result", "span"),
        parameters=("first_day", "billing_run_id"),
    ),
    Step(
        file="billing/rating/20_write_records",
        writes="albacore.billing_record",
        reads=("rated_record", "rating_result"),
        parameters=("first_day",),
    ),
    Step(
        file="billing/rating/21_hold_for_review",
        writes="albacore.customer_month",
        reads=("customer_policy", "rating_result"),
        parameters=("first_day",),
    ),
    Step(
        file="billing/rating/22_name_changes",
        writes="albacore.customer_month",
        reads=("rating_result",),
        parameters=("first_day",),
    ),
)

STEPS = (*FOUNDATIONS, *ESTIMATES, *AMOUNTS, *WRITES)
"""All of them, in order."""


def picture() -> str:
    """Who reads whom, as a Mermaid flowchart: a box a step, named by its table, or by its file where it writes."""
    makers = {step.makes: _box(step) for step in STEPS if step.makes}
    lines = [f"    {_box(step)}[{_label(step)}]" for step in STEPS]
    lines += [f"    {makers[table]} --> {_box(step)}" for step in STEPS for table in step.reads]
    return "\n".join(["flowchart TD", *lines])


def _box(step: Step) -> str:
    return f"s{step.file.rpartition('/')[2][:2]}"


def _label(step: Step) -> str:
    number, _, name = step.file.rpartition("/")[2].partition("_")
    return f"{number} {name}" if step.makes else f"{number} {name} → {step.writes.removeprefix('albacore.')}"
