"""`python -m buildspecs.saas.tenant_synth`, the fixed entry of tenants' synth: see `buildspecs.entry`."""

from __future__ import annotations

import sys

from buildspecs.entry import run_job

sys.exit(run_job("buildspecs.saas.tenant_synth"))
