"""Documents, statements, Xero, payments and reconciliation."""
