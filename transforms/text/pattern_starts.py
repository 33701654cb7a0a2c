"""What the matches of a regular expression can begin with: kernels, which know no expressions, rule them out by it."""

import functools
import re
from collections.abc import Iterable
from typing import Any, Final

from transforms.text.rules import re_constants, re_parser

_REPEATS: Final = (re_constants.MAX_REPEAT, re_constants.MIN_REPEAT, re_constants.POSSESSIVE_REPEAT)
_MAX_STARTS: Final = 200  # of one pattern; beyond that its starts are told by fewer characters


def pattern_starts(pattern: re.Pattern[str], chars: int) -> frozenset[str]:
    r"""Strings of up to ``chars`` characters, with one of which every match of ``pattern`` begins.

    Where the pattern allows nearly anything, its string ends there; "" is a pattern that may begin with anything. Other
    strings may begin a match of none: the set is a first look.

    >>> sorted(pattern_starts(re.compile("(?:see|view) (?:all )?.{1,9}"), 7))
    ['see ', 'see all', 'view ', 'view al']
    >>> pattern_starts(re.compile(".* comments"), 7)
    frozenset({''})
    """
    starts = _Starts(chars)
    heads = starts.extended({""}, re_parser.parse(pattern.pattern, pattern.flags))
    return frozenset(starts.whole | heads)


class _Starts:
    """Goes along a parsed pattern with the heads of its matches as far as they are known."""

    def __init__(self, chars: int) -> None:
        self._chars = chars
        self.whole: set[str] = set()
        """Heads that are not followed any further: long enough, or anything may come next."""

    def extended(self, heads: set[str], nodes: Iterable[Any]) -> set[str]:
        """The heads that are still to be followed behind ``nodes``."""
        for operation, argument in nodes:
            if not heads:
                break
            heads = self._behind(heads, operation, argument)
        return heads

    def _behind(self, heads: set[str], operation: Any, argument: Any) -> set[str]:
        if operation is re_constants.AT:
            return heads
        if operation is re_constants.LITERAL:
            return self._followed_by(heads, {chr(argument)})
        if operation is re_constants.IN and (characters := _characters(argument)):
            return self._followed_by(heads, characters)
        if operation is re_constants.BRANCH:
            return set().union(*(self.extended(heads, branch) for branch in argument[1]))
        if operation is re_constants.SUBPATTERN and not argument[1] and not argument[2]:  # no flags of its own
            return self.extended(heads, argument[3])
        if operation in _REPEATS:
            return self._repeated(heads, *argument)
        self.whole |= heads
        return set()

    def _repeated(self, heads: set[str], least: int, most: int, nodes: Iterable[Any]) -> set[str]:
        behind = set() if least else set(heads)
        for times in range(1, min(most, least + self._chars) + 1):
            heads = self.extended(heads, nodes)
            if times >= least:
                behind |= heads
        return behind - self.whole  # of digits, say, only the first is followed

    def _followed_by(self, heads: set[str], characters: set[str]) -> set[str]:
        if len(heads) * len(characters) > _MAX_STARTS:
            self.whole |= heads - {""}
            heads = heads & {""}
        longer = {head + character for head in heads for character in characters}
        enough = {head for head in longer if len(head) >= self._chars}
        self.whole |= enough
        return longer - enough


def _characters(members: Iterable[Any]) -> set[str]:
    """What a class of characters holds; empty where that is too much to list."""
    characters: set[str] = set()
    for kind, member in members:
        if kind is re_constants.LITERAL:
            characters.add(chr(member))
        elif kind is re_constants.RANGE and member[1] - member[0] < _MAX_STARTS:
            characters.update(map(chr, range(member[0], member[1] + 1)))
        elif kind is re_constants.CATEGORY and member is re_constants.CATEGORY_DIGIT:
            characters |= _digits()
        else:
            return set()
    return characters


@functools.cache
def _digits() -> frozenset[str]:
    """All that ``\\d`` matches in the Basic Multilingual Plane."""
    return frozenset(chr(code) for code in range(0x10000) if chr(code).isdecimal())
