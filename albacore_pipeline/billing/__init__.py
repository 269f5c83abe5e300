"""Machine-days x assignments x tariffs -> billing records, and what a later load or correction changes.

Belongs here: which customer-months can be rated, their records and revisions. The joins stand in `sql/billing/`.
Does not belong here: documents and their numbers (`invoicing/`).
"""
