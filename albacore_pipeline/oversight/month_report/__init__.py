"""The month on one page for finance.

Belongs here: which figures there are (`figures.py`), how they are written and laid out (`page.py`, `page.html.j2`).
Does not belong here: any figure that is not read from the `report` schema.
"""
