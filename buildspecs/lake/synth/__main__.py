"""`python -m buildspecs.lake.synth`, the fixed entry of the synth of the lake's pipelines: see `buildspecs.entry`."""

from __future__ import annotations

import sys

from buildspecs.entry import run_job

sys.exit(run_job("buildspecs.lake.synth"))
