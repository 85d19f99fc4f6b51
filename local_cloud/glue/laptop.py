"""The lake's jobs on this machine, in Spark's own environment: `python -m local_cloud.glue.laptop`.

The words are those of `lambdas.lake.spark.laptop`. Ends with 6 when the environment cannot be made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lambdas.gates.scanners.environments import EnvironmentError_
from local_cloud.glue import environment

_NO_ENVIRONMENT = 6
_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the jobs; what they say and how they end is handed on."""
    try:
        place = environment.spark()
    except EnvironmentError_ as error:
        print(error, file=sys.stderr)
        return _NO_ENVIRONMENT
    with tempfile.TemporaryDirectory(prefix="granary-spark-") as scratch:
        variables = {**os.environ, **environment.for_spark(place, Path(scratch)), "PYTHONPATH": str(_ROOT)}
        command = [str(environment.python(place)), "-m", "lambdas.lake.spark.laptop", *sys.argv[1:]]
        return subprocess.run(command, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
