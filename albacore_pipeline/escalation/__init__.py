"""From an overdue invoice to a paused machine, and back: evaluation, notices, holds, power commands.

Belongs here: when a stage is entered, what it needs, and every gate before a machine is switched.
Does not belong here: what is owed (`invoicing/`, by Xero's word), or how a site's control is spoken (`data_centres/`).
"""
