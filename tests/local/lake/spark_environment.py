"""Where Spark is: the one place that knows."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GRANARY_SPARK_PYTHON"


def spark_python() -> Path | None:
    """The Python of an environment with pyspark and boto3, where `JAVA_HOME` leads to a Java; None if there is none."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else None
