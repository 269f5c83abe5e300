"""The Dagster kit that every room's face uses."""
