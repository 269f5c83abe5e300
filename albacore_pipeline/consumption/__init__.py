"""Samples -> hourly watt-hours per machine-day, with quality."""
