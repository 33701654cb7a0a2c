"""Ids that several articles came with, told apart by a number: ``abc``, ``abc~2``, ``abc~3``."""

import re
from typing import Final

_NUMBERED: Final = re.compile(r"(.+)~([2-9]|[1-9][0-9]{1,8})", re.DOTALL)


def split_number(article_id: str) -> tuple[str, int]:
    """Return the id without its number, and the number; 1 where there is none.

    >>> split_number("abc~2"), split_number("abc"), split_number("abc~02")
    (('abc', 2), ('abc', 1), ('abc~02', 1))
    """
    found = _NUMBERED.fullmatch(article_id)
    return (found[1], int(found[2])) if found else (article_id, 1)


def with_number(article_id: str, number: int) -> str:
    """Return the id with another number.

    >>> with_number("abc", 3), with_number("abc~2", 3)
    ('abc~3', 'abc~3')
    """
    return f"{split_number(article_id)[0]}~{number}"
