"""The statement that explains a document: as PDF for people, as CSV for their own arithmetic.

Belongs here: what stands on it (`facts.py`), how it is set (`pdf.py`, `statement.typ`), and the machine-days as CSV.
Does not belong here: what is billed, which the document's committed rows have decided.
"""
