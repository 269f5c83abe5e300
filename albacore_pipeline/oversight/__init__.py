"""Reads only: verify, explain, the month report, and what was missed.

Belongs here: looking at everything. Does not belong here: changing anything.
"""
