"""What other rooms are told of a tenant; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import component_stack_name, deployment_of_pipeline
from lambdas.saas.model.release_turns import UNDER_WAY
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


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The execution that is asked about, as CodePipeline knows it."""

    revision: str
    rollback: bool
    status: str = ""


def answer(status: Status | None, question: Question, execution: Asked | None = None) -> dict[str, Any]:
    """What is known of the deployment; `known` is false, and nothing else is there, when nothing is.

    `ring` and `run` are those of the newest release that took it up, `outcome` is how that stands (`rolling_back`: the
    run takes the tenant back). Asked about an execution, they are those of the run that waits for it, and empty when
    none does: provisioning and people start pipelines, too, and CodePipeline rolls stages back by itself (`rollback`).
    `started_at` is since when the run waits, `execution_status` what CodePipeline says (empty: it knows no such
    execution), `stack` the component's in its account, in the `standby_region`, too, if its pipeline deploys there. An
    empty `revision` is that of a tenant that has deployed nothing yet. `outputs` are what the component declares public
    in each Region, by name.
    """
    if status is None:
        return {"deployment": question.deployment, "known": False}
    of_release = not question.execution or _of_the_run(status, question.execution, execution)
    return {
        "deployment": status.id,
        "known": True,
        "type": status.type,
        "account": status.account,
        "region": status.region,
        "standby_region": "".join(region for _, region in status.places[1:]),
        "phase": str(status.phase),
        "revision": status.revision_deployed,
        "revision_wanted": status.revision_wanted,
        "ring": status.release_ring if of_release else "",
        "run": status.release_run if of_release else "",
        "outcome": status.release_outcome if of_release else "",
        "started_at": status.release_started_at if of_release else "",
        "stack": component_stack_name(status.type, status.id),
        "outputs": status.outputs,
        "execution_status": execution.status if execution else "",
        "rollback": bool(execution and execution.rollback),
    }


def _of_the_run(status: Status, execution_id: str, execution: Asked | None) -> bool:
    """Self-mutation ends the execution that the run has started, and starts another: its revision tells."""
    if execution_id == status.release_execution_id:
        return True
    waits = status.release_outcome in UNDER_WAY
    return bool(waits and execution and not execution.rollback and execution.revision == status.revision_wanted)
