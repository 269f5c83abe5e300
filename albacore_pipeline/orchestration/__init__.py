"""The Dagster kit that every room's face uses.

Belongs here: the platform resource, partitions, run tags, the level-triggered sensor, the job with a form for a person.
Does not belong here: any asset, and any rule: what is due, and what a form does, are the rooms' own.
"""
