"""The two ways in which assets are cut: by a site's calendar day, and by month."""

import dagster as dg

from albacore_pipeline.periods import FIRST_DAY

# A key is a calendar day at the site, whatever Dagster's own label in UTC says.
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC")
MONTHLY = dg.MonthlyPartitionsDefinition(start_date=f"{FIRST_DAY:%Y-%m}", fmt="%Y-%m", timezone="UTC")
