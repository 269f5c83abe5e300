"""The words of notices and owners' mails."""
