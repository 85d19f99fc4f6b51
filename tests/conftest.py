"""What every test has in common."""

from __future__ import annotations

import gc
import os
from pathlib import Path

from hypothesis import HealthCheck, settings

from tests.rooms import other_rooms

# How many examples a property gets: few where people wait for them, many where they may take their time. How long an
# example takes says more about what else the machine does than about the example.
for _profile, _examples in (("glance", 10), ("quick", 25), ("thorough", 200)):
    settings.register_profile(
        _profile, max_examples=_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Validation takes most of a synth's time; the tests that are about it turn it on for themselves.
os.environ.setdefault("CDK_VALIDATION", "false")

collect_ignore_glob = [f"*/{room}" for room in other_rooms(Path(__file__).parents[1], os.environ.get("ROOM", ""))]


# What is imported stays: looking through it for garbage again and again took a fifth of the unit tests' time.
gc.disable()


def pytest_collection_finish() -> None:
    """From now on, there is garbage."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
