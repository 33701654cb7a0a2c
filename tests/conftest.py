"""The only test file that names a runner."""

from collections.abc import Callable

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import settings

settings.register_profile("cleancopy", deadline=None)  # a kernel compiles at its first call; the machine is shared
settings.load_profile("cleancopy")

RUNNERS = {
    "plain": lambda: FnApiRunner(),
    # Each bundle runs twice: hidden state and side effects show.
    "bundles-twice": lambda: FnApiRunner(bundle_repeat=1),
    # Grouped values are iterables without len() and indexing, as on a real runner.
    "lazy-groups": lambda: FnApiRunner(use_state_iterables=True),
}


@pytest.fixture(params=RUNNERS)
def make_pipeline(request: pytest.FixtureRequest) -> Callable[[], beam.Pipeline]:
    """Opens a pipeline inside the test, on each of the local runners in turn."""
    return lambda: beam.Pipeline(runner=RUNNERS[request.param]())
