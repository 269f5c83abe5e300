"""Customers, machines, assignments, tariffs, prices, entities and policies: files, validation, versions.

Belongs here: what a registry file may say, and how a folder of them becomes a version, all or nothing.
Does not belong here: what a tariff costs (`billing/`) or when a policy acts (`escalation/`).
"""
