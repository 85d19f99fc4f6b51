"""config/datasets/<name>/: the schema of a dataset's files, and the queries of what is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema, model_validator

from config.explain import explain_unreadable, explain_values
from config.models.types import Integer, Model, Word, twice
from config.yaml_loader import read_yaml
from lambdas.lake.model.datasets import (
    DEFINITION,
    PARTITION_KEYS,
    Column,
    CsvFormat,
    Dataset,
    ProductTable,
    pattern_of,
    value_of,
)

FOLDER = "datasets"
_SCHEMA = "schema.yaml"
# https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
_NAME = r"^[a-z][a-z0-9_]{0,99}$"
# Short, for several are one value of a Lake Formation tag: https://docs.aws.amazon.com/lake-formation/latest/dg/TBAC-notes.html
_PII = r"^[a-z][a-z0-9_]{0,29}$"


def _known(kind: str) -> str:
    pattern_of(kind)
    return kind


def _no_partition_key(name: str) -> str:
    if name in PARTITION_KEYS:
        raise ValueError(f"{name} is what tables are partitioned by: use another name")
    return name


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if odd := re.search(r"(?<!\\)\(\?[P(]", pattern):
        raise ValueError(f"has {odd[0]}, which Java does not know, and Spark is Java: use groups without names")
    return pattern


def _class_of_data(name: str) -> str:
    """One spelling for schemas, classes and records; `none` is what columns without personal data have as a tag."""
    if name == "none":
        raise ValueError("none is what columns without personal data have: use another name")
    if not re.fullmatch(_PII, name):
        hint = name.lower().replace("-", "_").replace(" ", "_")
        told = f": write {hint}" if re.fullmatch(_PII, hint) else ""
        raise ValueError(f"{name!r} is no class: up to 30 small letters, digits and _, a letter first{told}")
    return name


def once(names: list[str], what: str) -> None:
    """Refuse what is given twice."""
    if told := twice(what, names):
        raise ValueError(told[0])


TableName = Annotated[str, Field(pattern=_NAME)]
ColumnName = Annotated[TableName, AfterValidator(_no_partition_key)]
TypeName = Annotated[str, AfterValidator(_known)]
PiiClassName = Annotated[str, AfterValidator(_class_of_data), WithJsonSchema({"type": "string", "pattern": _PII})]


class ResultColumnModel(Model):
    """A column of a purpose-built table."""

    name: ColumnName = Field(description="Its name in the table.")
    type: TypeName = Field("string", description="string, int, bigint, double, decimal(p,s), boolean, date, timestamp.")
    pii: PiiClassName = Field("", description="The class of personal data in it.")


class ColumnModel(ResultColumnModel):
    """A column of the files, and the rules that each value keeps; a row that breaks one is quarantined."""

    heading: str = Field("", description="What the header calls it, if not by its name; case makes no difference.")
    nullable: bool = Field(True, description="Whether a value may be absent.")
    min: Word | None = Field(None, description="The least value, as text.")
    max: Word | None = Field(None, description="The greatest value, as text.")
    one_of: tuple[Word, ...] = Field((), max_length=200, description="The only values, as texts.")
    pattern: Annotated[str, AfterValidator(_compiled)] = Field("", description="What the whole text matches.")
    min_length: Integer | None = Field(None, ge=0, description="The least number of its letters.")
    max_length: Integer | None = Field(None, ge=0, description="The greatest number of its letters.")

    @model_validator(mode="after")
    def _limits_are_values(self) -> ColumnModel:
        limits = [self._value(key, one) for key, one in (("min", self.min), ("max", self.max)) if one is not None]
        if limits != sorted(limits):
            raise ValueError(f"min {self.min} is above max {self.max}")
        for one in self.one_of:
            self._value("one_of", one)
        if None not in (self.min_length, self.max_length) and self.min_length > self.max_length:  # type: ignore[operator]
            raise ValueError(f"min_length {self.min_length} is above max_length {self.max_length}")
        return self

    def _value(self, key: str, text: str) -> Any:
        try:
            return value_of(self.type, text)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error


class FormatModel(Model):
    """How the files are written: CSV as RFC 4180 has it, in UTF-8; a key that ends with .gz is unpacked."""

    header: bool = Field(True, description="Whether the first line names the columns; without, they are in order.")
    delimiter: str = Field(",", pattern=r"^[\t !#-/:-@\[\]-`{-~]$", description="What separates fields.")
    null_text: str = Field("", description="A text that stands for no value, besides an empty field.")
    multi_line: bool = Field(False, description="Whether quoted fields may hold line breaks; one worker reads a file.")
    ignore_extra_columns: bool = Field(False, description="Whether a file may have columns that are not named here.")


class ProductModel(Model):
    """A purpose-built table: the query is `<name>.sql`, and sees the rows of one file as the conformed table."""

    name: TableName = Field(description="Name of the table, and of its query.")
    columns: tuple[ResultColumnModel, ...] = Field((), description="What the query has to give; absent: what it gives.")

    @model_validator(mode="after")
    def _columns_differ(self) -> ProductModel:
        once([one.name for one in self.columns], "columns")
        return self


class DatasetModel(Model):
    """A dataset: files below a prefix of the raw bucket, and the tables that they go to."""

    prefix: str = Field(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*/){2,}$", max_length=500, description="<source system>/<table>/."
    )
    table: TableName = Field(description="Name of the conformed table.")
    format: FormatModel = Field(FormatModel(), description="How the files are written.")
    columns: tuple[ColumnModel, ...] = Field(min_length=1, max_length=1000, description="The columns of the files.")
    products: tuple[ProductModel, ...] = Field((), max_length=50, description="The purpose-built tables.")

    @model_validator(mode="after")
    def _names_differ(self) -> DatasetModel:
        once([one.name for one in self.columns], "columns")
        once([(one.heading or one.name).strip().casefold() for one in self.columns], "headings")
        return self

    def dataset(self, name: str) -> Dataset:
        """The dataset as jobs read it."""
        return Dataset(
            name=name,
            prefix=self.prefix,
            table=self.table,
            columns=tuple(Column(**one.model_dump()) for one in self.columns),
            format=CsvFormat(**self.format.model_dump()),
            products=tuple(
                ProductTable(name=one.name, columns=tuple(Column(**each.model_dump()) for each in one.columns))
                for one in self.products
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """All of a dataset's folder."""

    dataset: Dataset
    queries: Mapping[str, str]

    @property
    def files(self) -> dict[str, str]:
        """What the jobs find in the folder of the dataset, by name."""
        return {DEFINITION: self.dataset.to_json(), **self.queries}


def read_dataset(name: str, directory: Path) -> tuple[Definitions | None, list[str]]:
    """A folder of config/datasets, and every error of its files."""
    folder = Path(FOLDER) / name
    try:
        data = read_yaml(directory / folder / _SCHEMA)
        dataset = DatasetModel.model_validate(data).dataset(name)
    except ValidationError as error:
        return None, [f"{folder / _SCHEMA}: {line}" for line in explain_values(error, data=data)]
    except Exception as error:  # whatever a file makes YAML's constructors trip over
        return None, [f"{folder / _SCHEMA}: {explain_unreadable(error)}"]
    files = {one.sql_file: folder / one.sql_file for one in dataset.products}
    queries, errors = _queries(files, directory)
    strangers = sorted({path.name for path in (directory / folder).glob("*.sql")} - {*files})
    errors += [f"{folder / one}: no product of {_SCHEMA} has its name: remove it" for one in strangers]
    return Definitions(dataset=dataset, queries=queries), errors


def _queries(files: Mapping[str, Path], directory: Path) -> tuple[dict[str, str], list[str]]:
    queries: dict[str, str] = {}
    errors: list[str] = []
    for name, path in files.items():
        try:
            queries[name] = (directory / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            errors.append(f"{path}: {explain_unreadable(error)}")
        else:
            errors += [] if queries[name].strip() else [f"{path}: the file is empty"]
    return queries, errors
