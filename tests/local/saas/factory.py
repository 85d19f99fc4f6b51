"""The factory under test: what the scenarios do to it, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any

from cli.people import ROLES_OF, VIEWER
from lambdas.common import clock
from lambdas.common.aws_errors import ignoring
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import TOOLCHAIN, Row, wait_until
from tests.local.people_world import statements
from tests.local.saas.sights import Sights

PATIENCE_SECONDS = 360.0
# Events follow the status at once.
_HEARING_SECONDS = 20.0
_TROUBLE = frozenset({Phase.FAILED, Phase.INVALID})


class Factory(Sights):
    """The factory under test, to act on and to wait for."""

    # What scenarios do

    def put(self, *rows: Row) -> None:
        """Put rows, as a person does."""
        for row in rows:
            self.granary.put(row)

    def put_item(self, item: Mapping[str, Mapping[str, Any]]) -> None:
        """Put a row of any shape."""
        self.granary.client("dynamodb").put_item(TableName=self.names.deployments_table, Item=item)

    def cli(self, *words: str) -> CompletedProcess[str]:
        """Run the operator's command line as one of the people who may, and may little else."""
        known = (" ".join(words[:count]) for count in (2, 1))
        role = next((ROLES_OF[name][0] for name in known if ROLES_OF.get(name)), VIEWER)
        return self.granary.cli(*words, keys=self.somebody(role))

    def somebody(self, role: str) -> dict[str, str]:
        """Credentials of one of the people, with the policy that the source has for their role."""
        iam, name = self.granary.client("iam"), f"granary-{role}"
        trust = {"Effect": "Allow", "Principal": {"AWS": TOOLCHAIN}, "Action": "sts:AssumeRole"}
        with ignoring("EntityAlreadyExists"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements(role)})
        iam.put_role_policy(RoleName=name, PolicyName=role, PolicyDocument=policy)
        arn = f"arn:aws:iam::{TOOLCHAIN}:role/{name}"
        answer = self.granary.client("sts").assume_role(RoleArn=arn, RoleSessionName=f"{role}@example.com")
        return dict(answer["Credentials"])

    def remove(self, row: Row) -> None:
        """Delete a row."""
        key = {"id": {"S": row.id}}
        self.granary.client("dynamodb").delete_item(TableName=self.names.deployments_table, Key=key)

    def go_on(self, row: Row) -> None:
        """Do what the next step of a FAILED deployment says: retry the pipeline's failed stage, or change the row."""
        stages = self.granary.stages(row.pipeline)
        failed = [name for name, status in stages if status == "Failed"]
        if not failed:
            self.touch(row, note="please try again")
            return
        self.retry(row.pipeline, failed[0])

    def retry(self, pipeline: str, stage: str) -> None:
        """Retry the failed actions of a stage in the newest execution."""
        execution = self.granary.executions(pipeline)[0]["pipelineExecutionId"]
        self.granary.client("codepipeline").retry_stage_execution(
            pipelineName=pipeline, stageName=stage, pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
        )

    def touch(self, row: Row, *, note: str) -> None:
        """Change an attribute of the row that is not the factory's."""
        self.put_item({**row.item(), "note": {"S": note}})

    def invoke(self, job: str, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Invoke a function of the factory and return its answer; when it fails, its error under `FunctionError`."""
        answer = self.granary.client("lambda").invoke(
            FunctionName=self.names.function(job), Payload=json.dumps(event or {}).encode()
        )
        payload = json.loads(answer["Payload"].read())
        return {"FunctionError": payload} if "FunctionError" in answer else dict(payload)

    def sweep(self) -> dict[str, Any]:
        """Do one round of the sweep now."""
        return self.invoke("sweep", {"detail-type": "Scheduled Event", "source": "aws.events"})

    def time_passes(self, deployment_id: str) -> None:
        """Make what is known of a deployment seven hours older: more than any delay of the sweep."""
        then = clock.stamp(clock.now() - timedelta(hours=7))
        self.granary.client("dynamodb").update_item(
            TableName=self.names.status_table,
            Key={"id": {"S": deployment_id}},
            UpdateExpression="SET updated_at = :then",
            ExpressionAttributeValues={":then": {"S": then}},
        )

    # What scenarios wait for

    def active(self, *rows: Row) -> dict[str, Status]:
        """Wait until the deployments are ACTIVE; ends at once when one of them comes to grief."""

        def found() -> dict[str, Status] | None:
            known = {row.id: self.granary.status(row.id) for row in rows}
            done = {key: status for key, status in known.items() if status and status.phase is Phase.ACTIVE}
            return done if len(done) == len(rows) else None

        def trouble() -> Sequence[str]:
            known = (self.granary.status(row.id) for row in rows)
            return [f"{s.id} is {s.phase}: {s.reason}" for s in known if s and s.phase in _TROUBLE]

        what = f"{', '.join(row.id for row in rows)} to become ACTIVE"
        return wait_until(found, seconds=PATIENCE_SECONDS, what=what, also=trouble)

    def reaches(self, deployment_id: str, phase: Phase, *, reason: str = "") -> Status:
        """Wait until a deployment is in a phase, for a reason that contains the text."""

        def found() -> Status | None:
            status = self.granary.status(deployment_id)
            return status if status and status.phase is phase and reason in status.reason else None

        what = f"{deployment_id} to be {phase} {f'because of {reason!r}' if reason else ''}"
        try:
            return wait_until(found, seconds=PATIENCE_SECONDS, what=what)
        except Exception as error:
            raise AssertionError(f"{error}; it is {self.granary.status(deployment_id)}") from error

    def hears(self, deployment_id: str, *phases: str) -> list[dict[str, Any]]:
        """Wait until exactly these phases of a deployment were published; returns the events, the oldest first."""

        def heard() -> bool | None:
            return True if self.phases_told(deployment_id) == list(phases) else None

        try:
            wait_until(heard, seconds=_HEARING_SECONDS, what=f"{deployment_id} to be told {phases}")
        except Exception as error:
            raise AssertionError(f"{error}; it was told {self.phases_told(deployment_id)}") from error
        return self.told(deployment_id)

    def people_hear(self, *words: str, times: int = 1) -> None:
        """Wait until so many messages to people contain all of the words."""

        def told() -> bool | None:
            texts = [str(message["Message"]) for message in self.people.messages()]
            return True if sum(all(word in text for word in words) for text in texts) >= times else None

        wait_until(told, seconds=_HEARING_SECONDS, what=f"people to be told {words}, {times} times")

    def leaves(self, deployment_id: str, phase: Phase) -> None:
        """Wait until a deployment is no longer in a phase."""

        def left() -> bool | None:
            status = self.granary.status(deployment_id)
            return True if status and status.phase is not phase else None

        wait_until(left, seconds=PATIENCE_SECONDS, what=f"{deployment_id} to be no longer {phase}")

    def forgets(self, deployment_id: str) -> None:
        """Wait until nothing is known of a deployment."""

        def gone() -> bool | None:
            return True if self.granary.status(deployment_id) is None else None

        wait_until(gone, seconds=PATIENCE_SECONDS, what=f"the status of {deployment_id} to go")

    def build_ended(self, build_id: str) -> dict[str, Any]:
        """Wait for the end of a build."""

        def ended() -> dict[str, Any] | None:
            build: dict[str, Any] = self.granary.client("codebuild").batch_get_builds(ids=[build_id])["builds"][0]
            return build if build["buildComplete"] else None

        return wait_until(ended, seconds=PATIENCE_SECONDS, what=f"the end of build {build_id}")

    def stream_is_drained(self) -> None:
        """Wait until everything put before now has been taken in: the stream keeps the order of its one shard."""
        sentinel = f"Sentinel {len(self.builds())} {len(self.bus.messages())}"
        self.put_item({"id": {"S": sentinel}})
        self.reaches(sentinel, Phase.INVALID)
        self.granary.client("dynamodb").delete_item(TableName=self.names.deployments_table, Key={"id": {"S": sentinel}})

    def execution(self, pipeline: str, execution_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until an execution has one of the statuses."""

        def found() -> dict[str, Any] | None:
            executions = self.granary.executions(pipeline)
            return next(
                (e for e in executions if e["pipelineExecutionId"] == execution_id and e["status"] in statuses), None
            )

        what = f"execution {execution_id} of {pipeline} to be {' or '.join(statuses)}"
        return wait_until(found, seconds=PATIENCE_SECONDS, what=what)

    def released(self, version: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until CI/CD has released a version of the source; returns the execution."""
        pipeline = self.names.cicd_pipeline

        def of_version(*statuses: str) -> dict[str, Any] | None:
            for execution in self.granary.executions(pipeline):
                revisions = [source["revisionId"] for source in execution["sourceRevisions"]]
                if version in revisions and execution["status"] in statuses:
                    return execution
            return None

        return wait_until(
            lambda: of_version("Succeeded"),
            seconds=seconds,
            what=f"the release of source version {version}",
            also=lambda: [f"{pipeline} failed: {self.failed_action(pipeline)}"] if of_version("Failed") else [],
        )

    def stage_failed(self, pipeline: str, stage: str) -> str:
        """Wait until a stage fails, and the newest execution with it; returns the failed action's name and message.

        The stage says so first, and is not retried before the execution does.
        """

        def failed() -> bool | None:
            newest = [execution["status"] for execution in self.granary.executions(pipeline)[:1]]
            return True if newest == ["Failed"] and (stage, "Failed") in self.granary.stages(pipeline) else None

        wait_until(failed, seconds=PATIENCE_SECONDS, what=f"stage {stage} of {pipeline} to fail")
        return self.failed_action(pipeline)

    def approve(self, pipeline: str, stage: str) -> None:
        """Wait until a stage asks for approval, and give it."""
        client = self.granary.client("codepipeline")

        def question() -> tuple[str, str] | None:
            for state in client.get_pipeline_state(name=pipeline)["stageStates"]:
                for action in state["actionStates"] if state["stageName"] == stage else ():
                    if token := action.get("latestExecution", {}).get("token"):
                        return action["actionName"], token
            return None

        name, token = wait_until(question, seconds=PATIENCE_SECONDS, what=f"approval in {stage} of {pipeline}")
        client.put_approval_result(
            pipelineName=pipeline,
            stageName=stage,
            actionName=name,
            token=token,
            result={"summary": "agreed", "status": "Approved"},
        )
