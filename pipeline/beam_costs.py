"""What Beam does over and over while it builds and runs a pipeline, done once."""

from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import core


class CachedOptions(PipelineOptions):
    """Options that are parsed once for each view of them, where Beam parses them anew for each transform."""

    def __init__(self, flags: Sequence[str]) -> None:
        super().__init__(flags)
        self.__dict__["_views"] = {}

    def view_as(self, cls: type[Any]) -> Any:
        """This as options of that class."""
        views: dict[type[Any], Any] = self.__dict__["_views"]
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


def remember_signatures() -> None:
    """Have Beam read the signature of a method once in this process and those that are forked from it.

    Eight times for each DoFn it looks through all of its methods for states and timers; nearly all of them are those
    of ``DoFn`` itself.
    """
    if not isinstance(core.get_function_args_defaults, _RememberedSignatures):
        core.get_function_args_defaults = _RememberedSignatures(core.get_function_args_defaults)


_Signature = tuple[list[str], list[Any]]


class _RememberedSignatures:
    """Names and defaults of a method's arguments, by the function behind it, which all instances share."""

    def __init__(self, read: Callable[[Callable[..., Any]], _Signature]) -> None:
        self._read = read
        self._known: dict[Callable[..., Any], _Signature] = {}

    def __call__(self, function: Callable[..., Any]) -> _Signature:
        if not isinstance(function, MethodType):  # a function of one DoFn alone, say a lambda
            return self._read(function)
        behind = function.__func__
        if behind not in self._known:
            self._known[behind] = self._read(function)
        names, defaults = self._known[behind]
        return list(names), list(defaults)
