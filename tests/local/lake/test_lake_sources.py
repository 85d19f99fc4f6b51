"""What commits to the sources of a lake come to: to one of a dataset's own, and to the environment's."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from local_cloud.factory.demo.lake import repair
from local_cloud.factory.demo.lake.scene import Scene
from local_cloud.factory.demo.stage import Stage
from local_cloud.factory.granary import TOOLCHAIN
from local_cloud.factory.lake import PIPELINES, Lake, wait_for
from local_cloud.factory.lake_people import People
from tests.local.lake.conftest import SENSORS, push_sensors
from tests.local.saas.permissions import forbidden, without

_INFRASTRUCTURE, _ETL = PIPELINES
_STACK = f"{_ETL}-pipeline"


def test_who_may_not_start_a_pipeline_starts_none(lake: Lake) -> None:
    """The event is lost, and the log of the cloud says why."""
    before = len(lake.granary.executions(_ETL))
    with forbidden(lake.granary, "granary-lake-start", "codepipeline:StartPipelineExecution", on="*"):
        push_sensors(lake, "at", "lost")
        rule = f"Rule {_ETL}-{SENSORS['name']}-start: the event was not delivered"

        def logged() -> bool | None:
            return rule in Path(lake.granary.cloud.settings.log_file).read_text(encoding="utf-8") or None

        wait_for(logged, "the denial in the log")
    assert len(lake.granary.executions(_ETL)) == before


def test_a_commit_to_the_source_of_a_dataset_deploys_it(lake: Lake) -> None:
    """Given a new schema there, then the ETL pipeline alone starts, and the next file is read by it."""
    infrastructure = lake.granary.executions(_INFRASTRUCTURE)
    version = push_sensors(lake, "at", "kind")

    def deployed() -> bool | None:
        newest = lake.granary.executions(_ETL)[0]
        return lake.deployed() if version in [one["revisionId"] for one in newest["sourceRevisions"]] else None

    wait_for(deployed, "the ETL pipeline to deploy the dataset")
    assert lake.granary.executions(_INFRASTRUCTURE) == infrastructure
    (row,) = lake.settled(lake.put("plant/sensors/a.csv", b"at\n2026-11-29\n"))
    assert "the header lacks kind: correct the file" in row.reason
    assert row.dataset == SENSORS["name"]


def test_who_may_not_change_pipelines_changes_none(lake: Lake) -> None:
    """The role that changes the pipelines' stacks, for CloudFormation: its denial is the stack's reason."""
    client = lake.granary.client("cloudformation")
    template = client.get_template(StackName=_STACK)["TemplateBody"]
    text = template if isinstance(template, str) else json.dumps(template)
    assert "A new source was uploaded" in text
    with without(lake.granary, "granary-lake-pipeline-execution", "events:PutRule"):
        client.update_stack(
            StackName=_STACK,
            TemplateBody=text.replace("A new source was uploaded", "There is a new source"),
            RoleARN=f"arn:aws:iam::{TOOLCHAIN}:role/granary-lake-pipeline-execution",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

        def ended() -> str | None:
            status = str(client.describe_stacks(StackName=_STACK)["Stacks"][0]["StackStatus"])
            return None if status.endswith("IN_PROGRESS") else status

        assert wait_for(ended, "the update to end") == "UPDATE_ROLLBACK_COMPLETE"
    events = client.describe_stack_events(StackName=_STACK)["StackEvents"]
    assert [one for one in events if "events:PutRule" in one.get("ResourceStatusReason", "")]


def test_an_object_that_failed_is_loaded_once_its_schema_is_mended(lake: Lake, people: People) -> None:
    """Two acts of the demo: the same version of the file, after a commit that both pipelines deploy."""
    stage = Stage(console=Console(quiet=True))
    repair.play(Scene(stage=stage, lake=lake, people=people))
    assert stage.problems == []
