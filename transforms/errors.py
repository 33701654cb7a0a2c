"""Errors that are for the user: one line that says what is wrong and what to do."""


class UsageError(ValueError):
    """The command cannot be carried out as it was given. Exit code 2."""


class RunFailedError(RuntimeError):
    """The run must not be committed, or could not go on. Exit code 1."""
