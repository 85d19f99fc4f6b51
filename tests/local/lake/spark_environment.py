"""Where Spark is: the one place that knows."""

from __future__ import annotations

from pathlib import Path

from local_cloud.glue import environment


def spark_environment(scratch: Path) -> tuple[Path, dict[str, str]]:
    """The Python that has pyspark and boto3, and variables for it; it is made when it is first asked for."""
    place = environment.spark()
    return environment.python(place), environment.for_spark(place, scratch)
