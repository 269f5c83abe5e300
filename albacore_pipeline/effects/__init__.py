"""Every act on the outside world: one outbox, one chain of what was done."""
