"""Dunning: from an overdue document to a scheduled pause, with notices and holds."""
