"""The factory with a CodeCommit source: a push of its branch is what CI/CD releases, and one of a lake's is deployed.

That lake is in another Region than the factory. Its pipelines pass gates, and ask a person. On the way each of their
roles is denied something: the pipeline says so, and goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.common.evidence.verdict import Outcome, Verdict, verdicts_of
from lambdas.gates.model.branch import PIPELINES
from lambdas.lake.model.names import LakeNames
from lambdas.saas.model.runs import Run, RunState
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, WORKLOAD, Granary, wait_until, workspace_folder
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.workspace import OVERLAY, Workspace
from tests.local.codecommit_support import Clone
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import forbidden, without

_SOURCE = {"provider": "codecommit", "repository": "granary", "branch": "main"}
_REGION = REGIONS[1]
_FAR = LakeNames(prefix=NAMES.prefix, environment="far")
_INFRASTRUCTURE, _ETL = _FAR.part("infrastructure"), _FAR.part("etl")
_ENVIRONMENT = {"account": WORKLOAD, "region": _REGION, "cidr": "10.20.0.0/24", "azs": 1, "approval": True}
# It needs no download: it reads the report of the synth.
_GATE = {"name": "cdk", "scanner": "cdk_validation", "scans": "templates", "fail_at": "low"}
_CONFIGURATION = {
    **OVERLAY,
    "toolchain": {**OVERLAY["toolchain"], "source": _SOURCE},
    "lake": {"environments": [{"name": "far", "branch": "far", **_ENVIRONMENT}], "datasets": ["green_trips"]},
    "gates": {"gates": [{**_GATE, "options": {"plugins": ["AwsSolutions"]}}]},
}
_PATIENCE_SECONDS = 300.0


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """The toolchain, and what the administrator of a lake's account deploys; nobody is served, and nothing pushed."""
    with LocalCloud.start(tmp_path_factory.mktemp("codecommit-factory")) as cloud:
        workspace = Workspace.create(workspace_folder(cloud), overlay=_CONFIGURATION, whole=False)
        made = Granary(cloud, workspace)
        shutil.copytree(PROJECT_ROOT / "config/examples/all/datasets", made.workspace.root / "config/datasets")
        made.workspace.commit("A lake")
        made.client("codecommit").create_repository(repositoryName="granary")
        made.bootstrap()
        made.deploy()
        made.administer(NAMES.workload_roles_stack(WORKLOAD))
        made.administer(_FAR.part("keys"), region=_REGION)
        yield Factory(granary=made, bus=listen_to_bus(made), people=subscribe_to_failures(made))


def _push(factory: Factory, branch: str) -> str:
    """Push what is committed to a branch; answers the commit."""
    granary = factory.granary
    clone = Clone(folder=granary.workspace.root, variables=granary.cloud.env(TOOLCHAIN, HOME))
    url = granary.client("codecommit").get_repository(repositoryName="granary")["repositoryMetadata"]["cloneUrlHttp"]
    pushed = clone.git("push", url, f"HEAD:refs/heads/{branch}")
    assert pushed.returncode == 0, pushed.stderr
    return clone.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def commit(factory: Factory) -> str:
    """The first push to a repository that was empty when the factory was deployed, which goes all the way."""
    granary, commit = factory.granary, _push(factory, "main")

    def released() -> Run | None:
        run = granary.run(commit)
        return run if run and run.state == RunState.SUCCEEDED else None

    def failed() -> list[str]:
        run = granary.run(commit)
        stopped = [run.reason] if run and run.state == RunState.STOPPED else []
        executions = [one for one in _executions(factory, "Failed") if one["sourceRevisions"]]
        return stopped + [f"{one}: {granary.stages(NAMES.cicd_pipeline)}" for one in executions]

    wait_until(released, seconds=_PATIENCE_SECONDS, what=f"the release of {commit}", also=failed)
    return commit


def _executions(factory: Factory, *statuses: str) -> list[dict[str, Any]]:
    return [one for one in factory.granary.executions(NAMES.cicd_pipeline) if one["status"] in statuses]


def test_a_push_is_released(factory: Factory, commit: str) -> None:
    (execution,) = _executions(factory, "Succeeded", "InProgress")
    assert execution["trigger"]["triggerType"] == "CloudWatchEvent"
    assert [one["revisionId"] for one in execution["sourceRevisions"]] == [commit]


def _fails(factory: Factory, pipeline: str, action: str, words: str) -> str:
    """Wait until an action is the last one that has failed, with such words, and its pipeline with it."""

    def failed() -> str | None:
        said = factory.failed_action(pipeline)
        over = factory.granary.executions(pipeline)[0]["status"] == "Failed"
        return said if over and said.startswith(f"{action}: ") and words in said else None

    try:
        return wait_until(failed, seconds=_PATIENCE_SECONDS, what=f"{action} of {pipeline} to fail with {words!r}")
    except Exception as error:
        said = factory.failed_action(pipeline)
        raise AssertionError(f"{error}; {factory.granary.stages(pipeline)}; {said}") from error


@pytest.fixture(scope="module")
def stopped(factory: Factory, commit: str) -> str:
    """A commit of the lake's branch that a gate stops, for a rule pack has not looked at its templates."""
    assert commit
    gate = {**_GATE, "options": {"plugins": ["AwsSolutions", "Nobody"]}}
    factory.granary.workspace.configure("gates", {"gates": [gate]})
    factory.granary.workspace.commit("A pack that is not there")
    return _push(factory, "far")


def test_a_gate_stops_a_lakes_pipeline_and_says_why(factory: Factory, stopped: str) -> None:
    _fails(factory, _INFRASTRUCTURE, "Synth", "Nobody has not looked")
    assert dict(factory.granary.stages(_INFRASTRUCTURE))["Deploy"] == ""
    (told,) = [one["detail"] for one in factory.bus.messages() if one["detail-type"] == "Gate stopped a commit"]
    found = {name: told[name] for name in ("repository", "branch", "revision", "gate")}
    assert found == {"repository": PIPELINES, "branch": _INFRASTRUCTURE, "revision": stopped, "gate": "cdk"}
    assert [one.predicate.outcome for one in _verdicts(factory, stopped)] == [Outcome.ERROR]


def _verdicts(factory: Factory, commit: str) -> list[Verdict]:
    """What was said of a lake's commit: where reports are, not where a release's verdicts are."""
    place, s3 = {"Bucket": NAMES.reports_bucket(TOOLCHAIN, HOME)}, factory.granary.client("s3")
    found = s3.list_objects_v2(**place, Prefix=verdicts_of(f"{PIPELINES}/{commit}")).get("Contents", [])
    texts = [s3.get_object(**place, Key=one["Key"])["Body"].read().decode() for one in found]
    return [Verdict.from_json(text) for text in texts]


@dataclass(frozen=True, kw_only=True)
class Denial:
    """A role without a permission, the action that fails then, and its words or its build's.

    `besides` is a permission that is taken from another role, so that this one is needed. A managed policy is not
    touched: what it allows is denied.
    """

    role: str
    permission: str
    fails: str
    on: str = ""
    words: str = ""
    account: str = TOOLCHAIN
    besides: tuple[str, str] | None = None
    managed: bool = False

    def taken(self, granary: Granary) -> Iterator[AbstractContextManager[None]]:
        """What is taken away."""
        if self.managed:
            yield forbidden(granary, self.role, self.permission, on="*", account=self.account)
        else:
            yield without(granary, self.role, self.permission, on=self.on, account=self.account)
        if self.besides:
            yield without(granary, *self.besides)


_ROLE = f"{NAMES.prefix}-lake-"
# What cannot be compared is deployed, changed or not.
_BLIND = (f"{_ROLE}mutate", "cloudformation:GetTemplate")
_DENIALS = (
    Denial(role=f"{_ROLE}synth", permission="ssm:GetParameter", fails="Synth"),
    Denial(
        role=f"{_ROLE}mutate",
        permission="sts:AssumeRole",
        fails="SelfMutate",
        words="could not be used to assume",
        besides=_BLIND,
    ),
    Denial(
        role=f"{_ROLE}pipeline-deploy", permission="cloudformation:DescribeStacks", fails="SelfMutate", besides=_BLIND
    ),
    Denial(role=f"{_ROLE}assets", permission="sts:AssumeRole", on="-deploy", fails=f"Clear_{_INFRASTRUCTURE}"),
    Denial(role=f"{_ROLE}pipeline", permission="sts:AssumeRole", fails=f"{_INFRASTRUCTURE}.Prepare"),
    Denial(
        role=f"{_ROLE}deploy",
        permission="cloudformation:CreateChangeSet",
        fails=f"{_INFRASTRUCTURE}.Prepare",
        account=WORKLOAD,
    ),
    Denial(
        role=f"{_ROLE}execution",
        permission="ec2:CreateVpc",
        fails=f"{_INFRASTRUCTURE}.Deploy",
        account=WORKLOAD,
        managed=True,
    ),
)


@pytest.fixture(scope="module")
def mended(factory: Factory, stopped: str) -> str:
    """A commit that passes the gate, pushed while the first role is denied something."""
    assert stopped
    factory.granary.workspace.revert()
    return ""


@pytest.mark.parametrize("denial", _DENIALS, ids=lambda denial: f"{denial.role}-{denial.permission}")
@pytest.mark.usefixtures("mended")
def test_a_role_that_is_denied_stops_the_pipeline_where_it_needs_it(factory: Factory, denial: Denial) -> None:
    """Given all before is mended, then it goes on to where this one is missed; people are asked once."""
    with ExitStack() as denied:
        for one in denial.taken(factory.granary):
            denied.enter_context(one)
        if denial is _DENIALS[0]:
            _push(factory, "far")
        else:
            (stage,) = [name for name, status in factory.granary.stages(_INFRASTRUCTURE) if status == "Failed"]
            factory.retry(_INFRASTRUCTURE, stage)
        if denial.fails.startswith("Clear"):
            factory.approve(_INFRASTRUCTURE, "Deploy")
        _fails(factory, _INFRASTRUCTURE, denial.fails, denial.words or denial.permission)


def test_a_stack_that_never_stood_is_in_nobodys_way(factory: Factory) -> None:
    """Given its first creation has failed, when the stage is tried again, then it is deleted and created."""
    place = {"account": WORKLOAD, "region": _REGION}
    stack = factory.stack(_INFRASTRUCTURE, **place)
    assert stack
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    with without(factory.granary, f"{_ROLE}assets", "sts:AssumeRole", on="-publish"):
        execution = factory.granary.executions(_INFRASTRUCTURE)[0]["pipelineExecutionId"]
        factory.granary.client("codepipeline").retry_stage_execution(
            pipelineName=_INFRASTRUCTURE, stageName="Deploy", pipelineExecutionId=execution, retryMode="ALL_ACTIONS"
        )
        factory.approve(_INFRASTRUCTURE, "Deploy")
        factory.execution(_INFRASTRUCTURE, execution, "Succeeded")
        again = factory.stack(_INFRASTRUCTURE, **place)
        assert again
        assert again["StackStatus"] == "CREATE_COMPLETE"
        # The other pipeline starts by itself, and has assets.
        _fails(factory, _ETL, "FileAssets", "sts:AssumeRole")


def test_both_pipelines_deploy_a_lake_in_another_region(factory: Factory) -> None:
    factory.retry(_ETL, "Assets")
    factory.approve(_ETL, "Deploy")
    (execution, *_) = factory.granary.executions(_ETL)
    factory.execution(_ETL, execution["pipelineExecutionId"], "Succeeded")
    names = {one["StackName"] for one in _stacks(factory)}
    assert {_INFRASTRUCTURE, _ETL, _FAR.part("keys")} <= names
    commit = execution["sourceRevisions"][0]["revisionId"]
    assert {one.predicate.outcome for one in _verdicts(factory, commit)} == {Outcome.PASS}


def _stacks(factory: Factory) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = factory.granary.client(
        "cloudformation", account=WORKLOAD, region=_REGION
    ).describe_stacks()["Stacks"]
    return [one for one in found if one["StackStatus"] == "CREATE_COMPLETE"]
