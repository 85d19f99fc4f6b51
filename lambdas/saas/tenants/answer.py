"""What other rooms are told of a tenant; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import deployment_of_pipeline
from lambdas.saas.model.status import Status


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which deployment; `execution` is one of its pipeline's, when it is about that."""

    deployment: str
    execution: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Question:
        """Read `{"deployment": "acme"}` or `{"pipeline": "silo-acme-pipeline"}`, each with `"execution"` or without.

        Raises:
            GranaryError: it names neither.
        """
        execution = event.get("execution") or ""
        deployment = event.get("deployment")
        if pipeline := event.get("pipeline"):
            taken_apart = deployment_of_pipeline(pipeline) if isinstance(pipeline, str) else None
            deployment = taken_apart[1] if taken_apart else None
        if not isinstance(deployment, str) or not deployment or not isinstance(execution, str):
            raise GranaryError(
                f"cannot tell which deployment {dict(event)} is about: ask with `deployment` (an id) or `pipeline` "
                "(the name of a tenant's pipeline), and with `execution` (an id) or without"
            )
        return cls(deployment=deployment, execution=execution)


def answer(status: Status | None, question: Question) -> dict[str, Any]:
    """What is known of the deployment; `known` is false, and nothing else is there, when nothing is.

    `ring` and `run` are those of the newest release that took it up; asked about an execution, those of the release
    that started it, and empty when none did (provisioning and people start pipelines, too). An empty `revision` is
    that of a tenant that has deployed nothing yet.
    """
    if status is None:
        return {"deployment": question.deployment, "known": False}
    of_release = not question.execution or question.execution == status.release_execution_id
    return {
        "deployment": status.id,
        "known": True,
        "type": status.type,
        "account": status.account,
        "region": status.region,
        "phase": str(status.phase),
        "revision": status.revision_deployed,
        "revision_wanted": status.revision_wanted,
        "ring": status.release_ring if of_release else "",
        "run": status.release_run if of_release else "",
        "outcome": status.release_outcome if of_release else "",
    }
