"""Errors that are for the user: one line that says what is wrong and what to do."""


class UsageError(ValueError):
    """The command cannot be carried out as it was given. Exit code 2."""


class RunFailedError(RuntimeError):
    """The run must not be committed, or could not go on. Exit code 1."""


_JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji are written with them


def printable(text: str) -> str:
    r"""Escape what a terminal would obey instead of show: control characters, and those that turn the direction.

    Names of files and texts come from anywhere, and messages quote them.

    >>> print(printable("news\x1b[2J\u202e.txt"))
    news\x1b[2J\u202e.txt
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _JOINERS else char.encode("unicode_escape").decode() for char in text
    )
