"""What a check of the component finds in its tasks: names that the role which runs them does not reach; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cli.saas.component_report import Finding
from lambdas.saas.model.tasks import TASK_PREFIX, Task
from stacks.saas.generated_policy import Deployed
from stacks.saas.resource_types import text_of

_RULE = "Granary-Tasks"


def task_findings(tenants: Mapping[str, Sequence[Deployed]]) -> Iterator[Finding]:
    """Each name in a declaration that does not begin with its tenant's; what only a deployment knows is left out."""
    for stack in (one for its in tenants.values() for one in its):
        for key, output in stack.body.get("Outputs", {}).items():
            if not key.startswith(TASK_PREFIX):
                continue
            for name in _names(text_of(output["Value"])):
                if not _is_of(stack.tenant, name):
                    why = f"{name} is not the tenant's: begin its name with `tenant.name`, for its task cannot run else"
                    yield Finding(rule=_RULE, what=why, where=f"{stack.tenant}/{key}")


def _names(declaration: str) -> list[str]:
    """What it names; nothing of one that only a deployment knows as a whole."""
    try:
        task = Task.from_json(declaration)
    except ValueError:
        return []
    given = [task.function, task.build, *([task.ecs.cluster, task.ecs.definition] if task.ecs else [])]
    return [one for one in given if one]


def _is_of(tenant: str, name: str) -> bool:
    """Whether a name, or the one in an ARN, begins so."""
    bare = name.rpartition(":function:")[2].rpartition("/")[2].partition(":")[0]
    return bare == tenant or bare.startswith((f"{tenant}-", "*"))
