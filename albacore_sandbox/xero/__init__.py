"""Xero as far as invoicing needs it: contacts, invoices, credit notes, payments, and the gate in front of them.

Belongs here: Xero's behaviour, in its own words on the wire.
Does not belong here: what the pipeline makes of it.
"""
