"""Workers of Lambda functions begin with the libraries imported, as builds do."""

from __future__ import annotations

import sys

from ministack.core import lambda_runtime

from local_cloud.server import settings


def register() -> None:
    """Have ministack start its Python workers so."""
    found = lambda_runtime._detect_runtime_binary
    python = str(settings.current().programs_dir / "python")

    def detect(runtime: str) -> tuple[str, str]:
        program, script = found(runtime)
        return python if program == sys.executable else program, script

    lambda_runtime._detect_runtime_binary = detect
