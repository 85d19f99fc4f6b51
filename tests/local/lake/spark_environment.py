"""Where Spark is: the one place that knows."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GRANARY_SPARK_PYTHON"


def spark_environment() -> tuple[Path, dict[str, str]] | None:
    """The Python that has pyspark and boto3, and variables for it; None without one. `JAVA_HOME` leads to a Java."""
    given = os.environ.get(VARIABLE)
    return (Path(given), {"SPARK_LOCAL_IP": "127.0.0.1"}) if given else None
