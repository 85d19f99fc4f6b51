"""Experiments of FIS in a tenant's account and Region: making, following and ending those of one attempt.

Whatever is made is found again by its client token or its tags: nothing depends on somebody having noted an id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of, ignoring
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.resilience.model.attempt import Attempt, Injected
from lambdas.resilience.model.names import ATTEMPT_TAG
from lambdas.resilience.model.plan import Experiment, Mode
from lambdas.resilience.model.template import tags_of, template_of

_GONE = "ResourceNotFoundException"
_ENDING = frozenset({"completed", "stopping", "stopped", "failed", "cancelled", "gone"})
# Five experiments run at a time, unless more are asked for.
# https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
_BUSY = "FIS takes no more calls of the account just now"
_WAITS = {
    "ServiceQuotaExceededException": "FIS runs as many experiments as it may",
    "ThrottlingException": _BUSY,
    "TooManyRequestsException": _BUSY,
}
_TARGETS_SHOWN = 20
_ENGAGED = ("engaging", "engaged")


@dataclass(frozen=True, kw_only=True)
class Experiments:
    """`client` acts in the account as the role that may run experiments; `role` (ARN) is whom FIS acts as."""

    client: Any
    role: str

    def inject(self, attempt: Attempt, experiment: Experiment) -> str:
        """Make the template and start it; the experiment's id. The same attempt gets the same ones.

        Raises:
            CapacityError: FIS runs as many experiments as it may, or is asked too much: nothing was started.
            GranaryError: FIS refuses it: nothing was started.
        """
        try:
            template = self.client.create_experiment_template(
                clientToken=attempt.id, **template_of(attempt, experiment, role=self.role)
            )["experimentTemplate"]["id"]
            mode = "skip-all" if attempt.plan.mode is Mode.DRY_RUN else "run-all"
            started = self.client.start_experiment(
                clientToken=attempt.id,
                experimentTemplateId=template,
                experimentOptions={"actionsMode": mode},
                tags=tags_of(attempt),
            )["experiment"]["id"]
        except ClientError as error:
            if refusal := _refusal(error):
                raise refusal from error
            raise  # whether it has begun is not known
        return str(started)

    def status(self, attempt: Attempt) -> Injected:
        """How the attempt's experiment is; of a dry run that has ended, the reason says what it would have hit."""
        state = self._state(attempt.experiment)
        if state.status == "completed" and attempt.plan.mode is Mode.DRY_RUN:
            return Injected(status=state.status, reason=self._would_hit(attempt.experiment))
        return state

    def lever_is_engaged(self) -> bool:
        """Whether the safety lever of the account and Region is engaged: it stops all experiments."""
        state = self.client.get_safety_lever(id="default")["safetyLever"]["state"]
        return str(state["status"]) in _ENGAGED

    def undo(self, attempt: Attempt) -> None:
        """Take away whatever was made for the attempt; first the templates, so that nobody starts one any more.

        Only those that are there: what is gone has no tags, and to whom tags give the permission, IAM denies it.
        """
        for template in self._found("list_experiment_templates", "experimentTemplates", attempt):
            with ignoring(_GONE):
                self.client.delete_experiment_template(id=template)
        for experiment in self._started(attempt):
            self._stop(experiment)

    def _stop(self, experiment: str) -> None:
        if self._state(experiment).status in _ENDING:
            return
        try:
            self.client.stop_experiment(id=experiment)
        except ClientError:
            if self._state(experiment).status not in _ENDING:  # it may have ended meanwhile
                raise

    def _state(self, experiment: str) -> Injected:
        with ignoring(_GONE):
            state = self.client.get_experiment(id=experiment)["experiment"]["state"]
            return Injected(status=str(state["status"]), reason=str(state.get("reason", "")))
        return Injected(status="gone")

    def _started(self, attempt: Attempt) -> Iterator[str]:
        if attempt.experiment:
            return iter([attempt.experiment])
        return self._found("list_experiments", "experiments", attempt)

    def _found(self, operation: str, key: str, attempt: Attempt) -> Iterator[str]:
        for page in self.client.get_paginator(operation).paginate():
            for one in page[key]:
                if one.get("tags", {}).get(ATTEMPT_TAG) == attempt.id:
                    yield one["id"]

    def _would_hit(self, experiment: str) -> str:
        pages = self.client.get_paginator("list_experiment_resolved_targets").paginate(experimentId=experiment)
        targets = [one for page in pages for one in page["resolvedTargets"]]
        named = [f"{one['targetName']}: {', '.join(_information(one)) or one['resourceType']}" for one in targets]
        more = f" and {len(named) - _TARGETS_SHOWN} more" if len(named) > _TARGETS_SHOWN else ""
        return f"it would hit {'; '.join(named[:_TARGETS_SHOWN]) or 'nothing'}{more}"


def _refusal(error: ClientError) -> GranaryError | None:
    if why := _WAITS.get(code_of(error)):
        return CapacityError(f"{why}: {error}")
    if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    return GranaryError(f"FIS refuses the experiment: {error}")


def _information(target: dict[str, Any]) -> list[str]:
    return [str(value) for _, value in sorted(target.get("targetInformation", {}).items())]
