"""From a debt whose chain is complete to a machine that stands still, and back: the only room that switches machines.

Belongs here: the plan of a pause, every gate before a command, the command, its read-back, and resuming.
Does not belong here: when a stage is entered and what a notice says (`escalation/`), what is owed (`invoicing/`, by
Xero's word), or how a site's control is spoken (`data_centres/`).
"""
