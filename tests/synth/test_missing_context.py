"""Lookups that nobody has made are named by the assembly, wherever in the app they are."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from buildspecs.synthesis import missing_context


def test_a_lookup_of_a_component_is_named_by_the_whole_assembly(tmp_path: Path) -> None:
    """Given a stack in a stage in a stack, as a tenant's component is, then the topmost manifest has its lookup."""
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    env = cdk.Environment(account="222222222222", region="eu-west-1")
    component = cdk.Stack(cdk.Stage(cdk.Stack(app, "Pipeline"), "Deploy", env=env), "Component")
    ec2.Vpc.from_lookup(component, "Vpc", is_default=True)
    app.synth()
    (lacking,) = missing_context(tmp_path)
    assert lacking.startswith("vpc-provider:account=222222222222:")
