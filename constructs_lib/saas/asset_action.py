"""Has a pipeline ask for its assets to be published, in place of the library's builds that would publish them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import pipelines

_STAGE = "Assets"
# Where the library keeps its projects.
_PROJECTS = "Assets"


def ask_for_assets(pipeline: pipelines.CodePipeline, *, function: str, parameters: Mapping[str, str]) -> None:
    """Put an action that invokes a function (its name) in the place of the stage's actions, and take away the projects.

    To be called when the pipeline has been built. Where there are no assets, there is no such stage, and there will be
    none. The library has no way to say so: it decides by what a stage's stacks list whether it makes the projects.
    """
    pipeline.node.try_remove_child(_PROJECTS)
    underlying = pipeline.pipeline
    stages = underlying.stages
    found = [index for index, stage in enumerate(stages) if stage.stage_name == _STAGE]
    if not found:
        return
    (index,) = found
    inputs = stages[index].actions[0].action_properties.inputs or []
    action = {
        "Name": "Publish",
        "ActionTypeId": {"Category": "Invoke", "Owner": "AWS", "Provider": "Lambda", "Version": "1"},
        "Configuration": {
            "FunctionName": function,
            "UserParameters": json.dumps(
                {**parameters, "execution": "#{codepipeline.PipelineExecutionId}"}, sort_keys=True
            ),
        },
        "InputArtifacts": [{"Name": one.artifact_name} for one in inputs],
        "RunOrder": 1,
    }
    cfn = underlying.node.default_child
    assert isinstance(cfn, codepipeline.CfnPipeline)  # noqa: S101 - what an L2 Pipeline always holds
    cfn.add_property_override(f"Stages.{index}.Actions", [action])
