"""`make bench`: what the pipeline costs beside the bare work, as ratios measured in one run.

Belongs here: one module for each thing that is measured. Does not belong here: tests; seconds are never tested.
"""
