"""Samples -> hourly watt-hours per machine-day, with quality.

Belongs here: the arithmetic of energy (pure, in `energy.py`), revisions of site-days, and the Dagster assets of each
site. Does not belong here: how a site is spoken to (`data_centres/`), or whose the energy is (`billing/`).
"""
