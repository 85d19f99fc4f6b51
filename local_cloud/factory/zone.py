"""The component as the local cloud knows it: by what the users' zone says of it, and by the entry that it has."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

from local_cloud.cloud import PROJECT_ROOT

_SAID: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "component/local.yaml").read_text(encoding="utf-8"))
# Settings of the component, for config/workloads.yaml.
NOTHING_RUNS: dict[str, Any] = _SAID["nothing-runs"]
RUNS: dict[str, Any] = _SAID["runs"]
# Output with the address of what runs, which anybody may ask; empty when there is none. And as probes name it.
ADDRESS: str = _SAID.get("endpoint", "")
ENDPOINT = f"{{output.{ADDRESS}}}"

_ADDITION = """

def build(stage, tenant, before=build):
    import aws_cdk as cdk

    before(stage, tenant)
    stack = next(one for one in stage.node.find_all() if isinstance(one, cdk.Stack))
"""


def addition(lines: str) -> str:
    """What makes of `component/__init__.py` one whose `build` adds something, whatever the component is."""
    return _ADDITION + textwrap.indent(textwrap.dedent(lines), "    ")


def parameter(construct_id: str, *, name: str, value: str) -> str:
    """A line that adds a parameter; `name` and `value` are Python."""
    properties = f'{{"Name": {name}, "Type": "String", "Value": {value}}}'
    return f'cdk.CfnResource(stack, "{construct_id}", type="AWS::SSM::Parameter", properties={properties})\n'
