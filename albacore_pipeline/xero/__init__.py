"""Xero's accounting API: the only room that knows Xero's wire format and its words.

Belongs here: the connection, what is sent and how an answer is read, and how one finds out what became of a lost call.
Does not belong here: what an outcome means for a document; that is `invoicing/`.
"""
