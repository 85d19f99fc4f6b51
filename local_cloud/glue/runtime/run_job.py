"""Runs a job's script: `run_job.py REASON SCRIPT ARGUMENTS...`; why it failed is left in the file REASON.

This is the only file of the local cloud that a job's own interpreter executes; it has no access to the others.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run the script as `__main__`, as Glue does."""
    reason, script = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    if importlib.util.find_spec("pyspark"):
        importlib.import_module("s3_for_spark").install()
    try:
        runpy.run_path(script, run_name="__main__")
    except BaseException as error:
        if not isinstance(error, SystemExit) or error.code:
            reason.write_text(f"{type(error).__name__}: {error}"[:2000], encoding="utf-8")
        raise


if __name__ == "__main__":
    main()
