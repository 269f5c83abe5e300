"""Documents, statements, Xero, payments and reconciliation.

Belongs here: how a rated customer-month becomes a document, and what Xero is told and asked.
Does not belong here: what a kilowatt-hour costs (`billing/`), or what follows when nobody pays (`escalation/`).
"""
