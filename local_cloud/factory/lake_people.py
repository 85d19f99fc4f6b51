"""The people of a lake's account: principals as a platform engineer makes them, and what they get to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import Lake, permissions, wait_for

_GROUP, _RESULTS = "people", f"people-results-{WORKLOAD}"
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
# Whoever queries: a work group and its results, the catalog's definitions, and data that Lake Formation hands out.
_QUERIES: list[dict[str, Any]] = [
    {
        "Action": ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"],
        "Resource": f"arn:aws:athena:{HOME}:{WORKLOAD}:workgroup/{_GROUP}",
    },
    {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{_RESULTS}/*"},
    {"Action": ["glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"], "Resource": "*"},
    {"Action": "lakeformation:GetDataAccess", "Resource": "*"},
]


class RefusedError(Exception):
    """A query has failed; the message is Athena's reason."""


@dataclass(frozen=True, kw_only=True)
class People:
    """Those who query a lake."""

    lake: Lake

    @classmethod
    def arrive(cls, lake: Lake) -> Self:
        """Make the principals that the example of permissions names, but for the lake's own roles."""
        people = cls(lake=lake)
        lake.client("s3").create_bucket(Bucket=_RESULTS)
        location = {"ResultConfiguration": {"OutputLocation": f"s3://{_RESULTS}/"}}
        lake.client("athena").create_work_group(Name=_GROUP, Configuration=location)
        named = [one for persona in permissions()["personas"] for one in persona["principals"][WORKLOAD]]
        for one in named:
            kind, _, name = one.partition("/")
            if kind == "user":
                lake.client("iam").create_user(UserName=name)
            elif not name.startswith("granary/"):
                people.role(name)
        return people

    def role(self, name: str, *, besides: Iterable[Mapping[str, Any]] = ()) -> None:
        """Make a role, with its path, that may query."""
        iam, (path, _, last) = self.lake.client("iam"), name.rpartition("/")
        trust = {"Effect": "Allow", "Principal": {"AWS": WORKLOAD}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=last, Path=f"/{path}/" if path else "/", AssumeRolePolicyDocument=_policy([trust]))
        statements = [{"Effect": "Allow", **one} for one in (*_QUERIES, *besides)]
        iam.put_role_policy(RoleName=last, PolicyName="queries", PolicyDocument=_policy(statements))

    def keys(self, name: str) -> dict[str, str]:
        """Credentials of a role."""
        arn = f"arn:aws:iam::{WORKLOAD}:role/{name}"
        answer = self.lake.client("sts").assume_role(RoleArn=arn, RoleSessionName="query")
        return dict(answer["Credentials"])

    def read(self, name: str, columns: str, table: str, *, group: str = _GROUP) -> list[list[str | None]]:
        """The rows that a role gets of columns of a table, with its own credentials, ordered by the first one.

        Raises:
            RefusedError: it gets none.
        """
        sql = f"SELECT {columns} FROM {table} ORDER BY 1"  # noqa: S608 - nobody else says what is in it
        athena = self.lake.granary.cloud.client("athena", WORKLOAD, HOME, self.keys(name))
        started = athena.start_query_execution(QueryString=sql, WorkGroup=group)["QueryExecutionId"]

        def ended() -> dict[str, Any] | None:
            status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            return status if status["State"] in _ENDED else None

        status = wait_for(ended, "the query to end")
        if status["State"] != "SUCCEEDED":
            raise RefusedError(status["StateChangeReason"])
        rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
