"""What a job is told on its command line; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from lambdas.common.errors import GranaryError

# Glue hands on its own arguments, too (JOB_NAME, TempDir, enable-metrics): ours are of small letters and _ alone.
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_OURS = re.compile(r"--(?!conf$|class$)[a-z_]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """An object version, and where what is made of it goes. The first job reads no zone, and so knows no `source`."""

    bucket: str
    key: str
    version: str
    object_id: str
    day: str
    run: str
    dataset: str
    definitions: str
    zone: str
    temporary: str
    database: str
    code: str
    source: str = ""
    conformed_database: str = ""

    @property
    def values(self) -> tuple[str, str, str, str]:
        """Values of the partition: year, month, day and object."""
        year, month, day = self.day.split("-")
        return year, month, day, self.object_id


def parse(given: Sequence[str], *, second: bool = False) -> Arguments:
    """Read `--name value` pairs.

    Raises:
        GranaryError: with every argument that is missing, unknown or malformed.
    """
    found, unknown = _pairs(given)
    optional = set() if second else {"source", "conformed_database"}
    missing = [one.name for one in fields(Arguments) if one.name not in optional and not found.get(one.name)]
    wrong = [f"--{name} is missing" for name in missing] + [f"{name} is unknown" for name in unknown]
    if "day" not in missing and not _DAY.fullmatch(found["day"]):
        wrong.append(f"--day is to be YYYY-MM-DD, not {found['day']}")
    if wrong:
        raise GranaryError(f"arguments of the job: {'; '.join(wrong)}. The lake's state machine gives them.")
    return Arguments(**found)


def _pairs(given: Sequence[str]) -> tuple[Mapping[str, str], list[str]]:
    known = {f"--{one.name}" for one in fields(Arguments)}
    found: dict[str, str] = {}
    unknown: list[str] = []
    rest = iter(given)
    for name in rest:
        if name in known:
            # A value may begin with hyphens: a key is named by whoever uploads.
            found[name[2:]] = next(rest, "")
        elif _OURS.fullmatch(name):
            unknown.append(name)
    return found, unknown
