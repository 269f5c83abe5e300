"""Customers, machines, assignments, tariffs, prices, entities and policies: files, validation, versions."""
