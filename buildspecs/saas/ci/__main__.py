"""`python -m buildspecs.saas.ci`, the fixed entry of CI: see `buildspecs.entry`."""

from __future__ import annotations

import sys

from buildspecs.entry import run_job

sys.exit(run_job("buildspecs.saas.ci"))
