"""Reads only: verify, explain, the month report, and what was missed."""
