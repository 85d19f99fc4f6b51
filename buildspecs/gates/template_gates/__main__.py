"""`python -m buildspecs.gates.template_gates`: the gates of the templates, at the end of the synth build.

They are about the source that the templates come from: its digest was taken before the build changed anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

from buildspecs.gates.judging import run_gates, source_subject
from buildspecs.source_digest import noted
from lambdas.gates.model.gate import Scope

sys.exit(run_gates(Scope.TEMPLATES, Path("cdk.out"), subject=source_subject(noted())))
