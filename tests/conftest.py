"""The only test file that names a runner."""

import os
from collections.abc import Callable

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import settings

# A kernel compiles at its first call, so no deadline. CI tries the same examples each time, elsewhere they are new.
settings.register_profile("cleancopy", deadline=None, derandomize="CI" in os.environ)
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
