"""What FIS is asked, checked against its own model by botocore."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.plan import Experiment, Fault, Filter, Mode, RingPlan
from lambdas.resilience.model.template import template_of
from lambdas.resilience.store.experiments import Experiments

_ROLE = "arn:aws:iam::222222222222:role/granary/granary-resilience-experiment"
_NOW = "2026-11-29T00:00:00.000+00:00"
_EXPERIMENT = Experiment(
    name="all-of-it",
    duration_minutes=7,
    faults=(
        Fault(
            name="stop",
            action="aws:ec2:stop-instances",
            selection="PERCENT(50)",
            tags={"tier": "web-{id}"},
            filters=(Filter(path="State.Name", values=("running",)),),
            parameters={"startInstancesAfterDuration": "PT5M"},
        ),
        Fault(
            name="fail-over",
            action="aws:rds:failover-db-cluster",
            arns=("arn:{partition}:rds:{region}:{account}:cluster:{type}-{id}",),
            start_after=("stop",),
        ),
        Fault(
            name="task",
            action="aws:ecs:stop-task",
            target_parameters={"cluster": "default", "service": "{type}-{id}"},
        ),
    ),
    stop_alarms=("{type}-{id}-errors",),
    log_group="/granary/{id}",
)


def _attempt(mode: Mode = Mode.RUN, **more: Any) -> Attempt:
    return Attempt(
        id="job-1",
        deployment="acme",
        type="silo",
        account="222222222222",
        region="us-gov-west-1",
        plan=RingPlan(mode=mode, experiment=_EXPERIMENT),
        began=_NOW,
        since=_NOW,
        until=_NOW,
        **more,
    )


@pytest.fixture
def fis() -> Any:
    return boto3.client("fis", region_name="us-gov-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def test_a_template_is_the_tenants(fis: Any) -> None:
    template = template_of(_attempt(), _EXPERIMENT, role=_ROLE)
    assert template["targets"]["stop"]["resourceTags"] == {"tier": "web-acme", "granary:deployment": "acme"}
    arn = "arn:aws-us-gov:rds:us-gov-west-1:222222222222:cluster:silo-acme"
    assert template["targets"]["fail-over"]["resourceArns"] == [arn]
    assert "resourceTags" not in template["targets"]["fail-over"]
    assert template["targets"]["task"]["parameters"] == {"cluster": "default", "service": "silo-acme"}
    assert template["actions"]["fail-over"] == {
        "actionId": "aws:rds:failover-db-cluster",
        "parameters": {},
        "targets": {"Clusters": "fail-over"},
        "startAfter": ["stop"],
    }
    alarm = "arn:aws-us-gov:cloudwatch:us-gov-west-1:222222222222:alarm:silo-acme-errors"
    assert template["stopConditions"] == [{"source": "aws:cloudwatch:alarm", "value": alarm}]
    assert template["logConfiguration"]["cloudWatchLogsConfiguration"] == {
        "logGroupArn": "arn:aws-us-gov:logs:us-gov-west-1:222222222222:log-group:/granary/acme:*"
    }


def test_what_is_tagged_by_the_entry_cannot_take_another_tenants_place() -> None:
    fault = Fault(name="stop", action="aws:ecs:stop-task", tags={"granary:deployment": "globex"})
    one = Experiment(name="x", duration_minutes=1, faults=(fault,))
    template = template_of(_attempt(), one, role=_ROLE)
    assert template["targets"]["stop"]["resourceTags"] == {"granary:deployment": "acme"}
    assert template["stopConditions"] == [{"source": "none"}]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ((), [{"path": "State.Name", "values": ["running"]}]),
        ((Filter(path="State.Name", values=("stopped",)),), [{"path": "State.Name", "values": ["stopped"]}]),
    ],
)
def test_instances_that_a_release_has_replaced_are_no_targets(filters: tuple[Filter, ...], wanted: Any) -> None:
    one = Experiment(
        name="x",
        duration_minutes=1,
        faults=(Fault(name="reboot", action="aws:ec2:reboot-instances", filters=filters),),
    )
    assert template_of(_attempt(), one, role=_ROLE)["targets"]["reboot"]["filters"] == wanted


@pytest.mark.parametrize(("mode", "actions"), [(Mode.RUN, "run-all"), (Mode.DRY_RUN, "skip-all")])
def test_it_is_started_with_the_attempts_token(fis: Any, mode: Mode, actions: str) -> None:
    tags = {"granary:deployment": "acme", "granary:attempt": "job-1"}
    with Stubber(fis) as stub:
        made = {**template_of(_attempt(), _EXPERIMENT, role=_ROLE), "clientToken": "job-1", "tags": tags}
        stub.add_response("create_experiment_template", {"experimentTemplate": {"id": "EXT1"}}, made)
        stub.add_response(
            "start_experiment",
            {"experiment": {"id": "EXP1"}},
            {
                "clientToken": "job-1",
                "experimentTemplateId": "EXT1",
                "experimentOptions": {"actionsMode": actions},
                "tags": tags,
            },
        )
        assert Experiments(client=fis, role=_ROLE).inject(_attempt(mode), _EXPERIMENT) == "EXP1"


@pytest.mark.parametrize(
    ("code", "status", "kind", "said"),
    [
        ("ServiceQuotaExceededException", 402, CapacityError, "FIS runs as many experiments as it may"),
        ("ThrottlingException", 429, CapacityError, "FIS takes no more calls of the account just now"),
        ("TooManyRequestsException", 429, CapacityError, "FIS takes no more calls of the account just now"),
        ("ConflictException", 409, GranaryError, "FIS refuses the experiment"),
        ("AccessDeniedException", 403, GranaryError, "FIS refuses the experiment"),
        ("InternalServerError", 500, Exception, "no"),
    ],
)
def test_a_refusal_says_whether_to_wait(fis: Any, code: str, status: int, kind: type[Exception], said: str) -> None:
    with Stubber(fis) as stub:
        stub.add_client_error("create_experiment_template", code, "no", http_status_code=status)
        with pytest.raises(kind, match=said) as raised:
            Experiments(client=fis, role=_ROLE).inject(_attempt(), _EXPERIMENT)
    assert isinstance(raised.value, GranaryError) is (status < 500)
    assert isinstance(raised.value, CapacityError) is (kind is CapacityError)


@pytest.mark.parametrize(
    ("status", "engaged"), [("engaging", True), ("engaged", True), ("disengaging", False), ("disengaged", False)]
)
def test_the_safety_lever_is_that_of_the_account_and_region(fis: Any, status: str, *, engaged: bool) -> None:
    with Stubber(fis) as stub:
        stub.add_response("get_safety_lever", {"safetyLever": {"state": {"status": status}}}, {"id": "default"})
        assert Experiments(client=fis, role=_ROLE).lever_is_engaged() is engaged


def test_what_a_dry_run_would_hit_is_read_from_fis(fis: Any) -> None:
    state = {"experiment": {"state": {"status": "completed", "reason": "Experiment completed."}}}
    targets = [
        {"targetName": "task", "resourceType": "aws:ecs:task", "targetInformation": {"arn": f"task/{number}"}}
        for number in range(22)
    ]
    with Stubber(fis) as stub:
        stub.add_response("get_experiment", state, {"id": "EXP1"})
        stub.add_response("list_experiment_resolved_targets", {"resolvedTargets": targets}, {"experimentId": "EXP1"})
        told = Experiments(client=fis, role=_ROLE).status(_attempt(Mode.DRY_RUN, experiment="EXP1"))
    assert told.reason.startswith("it would hit task: task/0; task: task/1;")
    assert told.reason.endswith(" and 2 more")


def test_whatever_bears_the_attempts_tag_is_undone(fis: Any) -> None:
    """Nobody has noted an id."""
    mine, others = {"granary:attempt": "job-1"}, {"granary:attempt": "job-2"}
    listed = [{"id": "EXT1", "tags": others}, {"id": "EXT2", "tags": mine}, {"id": "EXT3"}]
    started = [{"id": "EXP1", "tags": mine}, {"id": "EXP2", "tags": others}]
    running = {"experiment": {"state": {"status": "running"}}}
    with Stubber(fis) as stub:
        stub.add_response("list_experiment_templates", {"experimentTemplates": listed}, {})
        stub.add_response("delete_experiment_template", {}, {"id": "EXT2"})
        stub.add_response("list_experiments", {"experiments": started}, {})
        stub.add_response("get_experiment", running, {"id": "EXP1"})
        stub.add_response("stop_experiment", {}, {"id": "EXP1"})
        Experiments(client=fis, role=_ROLE).undo(_attempt(touched=True))
        stub.assert_no_pending_responses()


def test_what_ends_while_it_is_stopped_is_no_error(fis: Any) -> None:
    listed = {"experimentTemplates": [{"id": "EXT1", "tags": {"granary:attempt": "job-1"}}]}
    with Stubber(fis) as stub:
        stub.add_response("list_experiment_templates", listed, {})
        stub.add_client_error("delete_experiment_template", "ResourceNotFoundException", expected_params={"id": "EXT1"})
        stub.add_response("get_experiment", {"experiment": {"state": {"status": "running"}}}, {"id": "EXP1"})
        stub.add_client_error("stop_experiment", "ValidationException", expected_params={"id": "EXP1"})
        stub.add_response("get_experiment", {"experiment": {"state": {"status": "completed"}}}, {"id": ANY})
        Experiments(client=fis, role=_ROLE).undo(_attempt(touched=True, experiment="EXP1"))
        stub.assert_no_pending_responses()


def test_a_template_that_is_gone_is_not_deleted_again(fis: Any) -> None:
    """It has no tags any more: who may delete what bears a tag is denied."""
    with Stubber(fis) as stub:
        stub.add_response("list_experiment_templates", {"experimentTemplates": []}, {})
        stub.add_response("get_experiment", {"experiment": {"state": {"status": "completed"}}}, {"id": "EXP1"})
        Experiments(client=fis, role=_ROLE).undo(_attempt(touched=True, experiment="EXP1"))
        stub.assert_no_pending_responses()
