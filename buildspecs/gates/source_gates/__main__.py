"""`python -m buildspecs.gates.source_gates`: the gates of the source, before anything of it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from buildspecs.archive import digest, pack
from buildspecs.gates.judging import run_gates, source_subject
from lambdas.gates.model.gate import Scope

_ROOT = Path(os.environ["CODEBUILD_SRC_DIR"])

sys.exit(run_gates(Scope.SOURCE, _ROOT, subject=source_subject(digest(pack(_ROOT)))))
