"""Every act on the outside world: one outbox, one chain of what was done.

Belongs here: how an intent becomes an effect exactly once, the audit chain, and mail (which every room sends).
Does not belong here: what Xero or a machine's control is told; those kinds live with their rooms.
"""
