"""Which resources an experiment hits: found with its role's permissions, filtered, and chosen among.

https://docs.aws.amazon.com/fis/latest/userguide/targets.html
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_MODE = re.compile(r"(?:ALL|COUNT\((\d+)\)|PERCENT\((\d+)\))")
_A_CALL = 100
_MOST_PERCENT = 100
Client = Callable[[str], Any]
Target = Mapping[str, Any]


def resolve(target: Target, client: Client) -> list[str]:
    """The ARNs of the tasks that a target means now, in no order."""
    found = [task for task in _described(_named(target, client), client) if task["lastStatus"] != "STOPPED"]
    tags = target.get("resourceTags", {})
    kept = [task["taskArn"] for task in found if tags.items() <= _tags(task).items() and _passes(task, target)]
    return _chosen(kept, target["selectionMode"])


def mode_problem(mode: str) -> str | None:
    """What is wrong with a selection mode."""
    match = _MODE.fullmatch(mode)
    count, percent = (int(part) if part else None for part in (match.groups() if match else (None, None)))
    if match is None or count == 0 or percent == 0 or (percent or 0) > _MOST_PERCENT:
        return f"selectionMode must be ALL, COUNT(n) or PERCENT(n), not {mode}"
    return None


def _named(target: Target, client: Client) -> list[str]:
    if arns := target.get("resourceArns"):
        return list(arns)
    if parameters := target.get("parameters"):
        given = {name: parameters[key] for key, name in _LISTED_BY.items() if key in parameters}
        pages = client("ecs").get_paginator("list_tasks").paginate(**given)
        return [arn for page in pages for arn in page["taskArns"]]
    filters = [{"Key": key, "Values": [value]} for key, value in target["resourceTags"].items()]
    pages = client("resourcegroupstaggingapi").get_paginator("get_resources")
    tagged = pages.paginate(TagFilters=filters, ResourceTypeFilters=["ecs:task"])
    return [one["ResourceARN"] for page in tagged for one in page["ResourceTagMappingList"]]


_LISTED_BY = {"cluster": "cluster", "service": "serviceName"}


def _described(arns: Sequence[str], client: Client) -> Iterator[Mapping[str, Any]]:
    by_cluster: dict[str, list[str]] = {}
    for arn in arns:
        by_cluster.setdefault(arn.split("/")[1], []).append(arn)
    for cluster, its in by_cluster.items():
        for first in range(0, len(its), _A_CALL):
            wanted = its[first : first + _A_CALL]
            yield from client("ecs").describe_tasks(cluster=cluster, tasks=wanted, include=["TAGS"])["tasks"]


def _tags(task: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in task.get("tags", ())}


def _passes(task: Mapping[str, Any], target: Target) -> bool:
    """Whether each filter finds one of its values; paths are in the capitals of the AWS documentation."""
    return all(
        any(str(found) in one["values"] for found in _at(task, one["path"].split(".")))
        for one in target.get("filters", ())
    )


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0][:1].lower() + path[0][1:]), path[1:])


def _chosen(arns: Sequence[str], mode: str) -> list[str]:
    match = _MODE.fullmatch(mode)
    count, percent = match.groups() if match else (None, None)
    # A share is rounded down, to none, too.
    most = int(count) if count else len(arns) * int(percent) // _MOST_PERCENT if percent else len(arns)
    return random.sample(list(arns), min(most, len(arns)))
