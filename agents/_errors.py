"""The one kind of error that the command prints as a sentence instead of a traceback."""


class UsageError(ValueError):
    """Something the user can put right. Its text says in one sentence what was wrong, where, and what to do."""
