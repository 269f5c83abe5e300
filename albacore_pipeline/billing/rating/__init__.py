"""The rating of a month: a procedure of named steps in SQL, and the little Python that runs them in order.

Belongs here: the steps and their order (`steps.py`), and one run of them (`run.py`). Each step's rule stands on top of
its file in `sql/billing/rating/`. Does not belong here: when a month is rated, and what people are shown of it.
"""
