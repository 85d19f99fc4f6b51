"""`s3://` for Spark without Hadoop's connector: files are staged on this machine's disk, with the job's credentials.

Reading takes the object of that key, or all below it; what is written is put when Spark has written all of it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

_READ = ("csv", "json", "load", "parquet", "text")
_SCHEME = "s3://"
_numbers = itertools.count()


def install() -> None:
    """Let Spark's readers read, and its writers write parquet; all else with an `s3://` address is refused by name."""
    spark = importlib.import_module("pyspark.sql")
    for owner in (spark.DataFrameReader, spark.DataFrameWriter, importlib.import_module("pyspark").SparkContext):
        for name, method in list(vars(owner).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(owner, name, _refusing(owner, name, method))
    for name in _READ:
        setattr(spark.DataFrameReader, name, _reading(getattr(spark.DataFrameReader, name)))
    writer = spark.DataFrameWriter
    writer.mode, writer.parquet = _remembering(writer.mode), _writing(writer.parquet)


def _refusing(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def checked(*given: Any, **named: Any) -> Any:
        if any(_is_remote(one) for one in (*given, *named.values())):
            raise NotImplementedError(f"The local cloud's Spark has no {owner.__name__}.{name} with an s3:// address")
        return method(*given, **named)

    return checked


def _is_remote(value: Any) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(one, str) and one.startswith(_SCHEME) for one in values)


def _reading(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def read(self: Any, *given: Any, **named: Any) -> Any:
        return method(self, *map(_staged, given), **{name: _staged(value) for name, value in named.items()})

    return read


def _staged(value: Any) -> Any:
    if not _is_remote(value):
        return value
    return [_fetched(one) for one in value] if isinstance(value, list | tuple) else _fetched(value)


def _fetched(address: str) -> str:
    """Where the object, or all that is below it, lies on this disk; its path ends as the address does."""
    if not _is_remote(address):
        return address
    bucket, key = _parts(address)
    if any(character in key for character in "*?[{"):
        raise NotImplementedError(f"The local cloud's Spark has no patterns in s3:// addresses: {address}")
    names = list(_names(bucket, key))
    found = [key] if key in names else [name for name in names if not key or name.startswith(f"{key}/")]
    if not found:
        raise FileNotFoundError(f"Path does not exist: {address}")
    top = _new_folder()
    for name in found:
        target = Path(f"{top}/{name}")
        if ".." in target.parts:
            raise NotImplementedError(f"The local cloud's Spark does not read keys with '..' in them: {name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            _s3().download_file(bucket, name, str(target))
    return f"{top}/{key}"


def _remembering(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def mode(self: Any, saveMode: str | None) -> Any:
        self.s3_mode = saveMode or getattr(self, "s3_mode", None)
        return method(self, saveMode)

    return mode


def _writing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def parquet(self: Any, path: str, mode: str | None = None, *given: Any, **named: Any) -> None:
        if not _is_remote(path):
            method(self, path, mode, *given, **named)
            return
        bucket, key = _parts(path)
        present = list(_names(bucket, f"{key}/"))
        wanted = mode or getattr(self, "s3_mode", None) or "errorifexists"
        if present and wanted == "ignore":
            return
        if present and wanted in ("error", "errorifexists"):
            raise FileExistsError(f"[PATH_ALREADY_EXISTS] Path {path} already exists.")
        folder = _new_folder()
        method(self, str(folder), "overwrite", *given, **named)
        if wanted == "overwrite":
            for name in present:
                _s3().delete_object(Bucket=bucket, Key=name)
        # The mark that all is there comes last, as Hadoop's committer puts it.
        for file in sorted(folder.rglob("[!.]*"), key=lambda file: file.name == "_SUCCESS"):
            if file.is_file():
                _s3().upload_file(str(file), bucket, f"{key}/{file.relative_to(folder).as_posix()}")

    return parquet


def _parts(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix(_SCHEME).partition("/")
    return bucket, key.rstrip("/")


def _names(bucket: str, prefix: str) -> Iterator[str]:
    for page in _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (one["Key"] for one in page.get("Contents", ()))


def _new_folder() -> Path:
    folder = Path(tempfile.gettempdir(), f"s3-for-spark-{os.getpid()}", str(next(_numbers)))
    folder.mkdir(parents=True)
    return folder


@functools.cache
def _s3() -> Any:
    return boto3.client("s3")
