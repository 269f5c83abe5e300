"""A world in one process: four data centres, Xero, a mailbox and a clock, all on loopback.

Belongs here: the outside of the pipeline as its own software would answer it, and the truth behind it.
Does not belong here: anything of the pipeline. This package knows wire formats only and imports none of the rooms,
so that the two can't share a mistake.
"""
