"""Xero's accounting API: the only room that knows Xero's wire format and its words."""
