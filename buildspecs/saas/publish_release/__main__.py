"""`python -m buildspecs.saas.publish_release`, the fixed entry of publishing a release: see `buildspecs.entry`."""

from __future__ import annotations

import sys

from buildspecs.entry import run_job

sys.exit(run_job("buildspecs.saas.publish_release"))
