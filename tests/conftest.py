"""What every test has in common."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# How long an example takes says more about what else the machine does than about the example.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Validation takes most of a synth's time; the tests that are about it turn it on for themselves.
os.environ.setdefault("CDK_VALIDATION", "false")
