"""GlueContext, as far as jobs on data frames need it."""

from __future__ import annotations

import importlib
import logging
from typing import Any, NoReturn


class GlueContext:
    """Spark's session and a logger; what AWS's has besides, such as dynamic frames, is refused by name."""

    def __init__(self, _spark_context: Any) -> None:
        self.spark_session = importlib.import_module("pyspark.sql").SparkSession.builder.getOrCreate()

    def get_logger(self) -> logging.Logger:
        """A logger that writes to the run's log."""
        logging.basicConfig(level=logging.INFO)
        return logging.getLogger("glue")

    def __getattr__(self, name: str) -> NoReturn:
        raise NotImplementedError(f"The local cloud's GlueContext has no {name}")
