"""`python -m buildspecs.gates.repository_gates`: the gates of a repository, on a commit that was pushed to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from buildspecs.gates.repository_gates.judge import judge
from config.loader import load
from lambdas.gates.model.branch import Branch

_BRANCH = Branch(
    repository=os.environ["GATED_REPOSITORY"], name=os.environ["GATED_BRANCH"], commit=os.environ["GATED_COMMIT"]
)

sys.exit(judge(load(), _BRANCH, Path(os.environ["CODEBUILD_SRC_DIR_repository"])))  # noqa: SIM112 - CodeBuild's name
