"""How many builds and package installations a tenant costs, when it is provisioned and in each release."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from buildspecs.synthesis import ROOT, synthesize
from lambdas.saas.model.names import TENANT_JOBS
from local_cloud.__main__ import DEFAULT_STATE_DIR
from local_cloud.cloud import LocalCloud, LocalCloudError
from local_cloud.factory.granary import HOME, TOOLCHAIN
from tests.bench.figures import Figure, Section
from tests.bench.tenants import plan_of, tenant
from tests.synth.assembly import read_templates
from tests.synth.configurations import AWS

# The pipeline of commit d142659: counted by this module; seconds are medians of three builds of `make demo-up`, on two
# cores that others used too.
BEFORE = {"provisioned": "2 builds, 2 installs", "released": "2 builds, 2 installs", "changed": "4 builds, 4 installs"}
SECONDS_BEFORE = {"synth": "24.1 s", "self-mutate": "12.9 s"}
_INSTALL = re.compile(r"\b(?:pip|npm) (?:install|ci)\b")
# A program that a command runs names the words of its own commands one by one.
_INSTALL_WORDS = re.compile(r'"(?:pip|npm)", "(?:install|ci)"')
_PROGRAM = re.compile(r"\b(\w+\.py)\b")


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Of one execution: its builds, what they install in any case, and what only when the pipeline changes.

    A command that begins with `if` installs for what is older; the program that it names is what decides now.
    """

    builds: int
    always: int
    when_changed: int

    def told(self, *, changed: bool = False) -> str:
        """A pipeline that changes itself starts over: its stack is deployed in the first execution of the two."""
        builds, installs = (
            (2 * self.builds, 2 * self.always + self.when_changed) if changed else (self.builds, self.always)
        )
        return f"{builds} builds, {installs} install{'s' * (installs != 1)}"


def measure(_rounds: int) -> Section:
    """Count in the template of a tenant's pipeline; seconds are those of a factory on the local cloud, if one runs."""
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder:
        synthesize(plan_of(tenant()), out=Path(folder) / "out")
        (body,) = (
            template.body
            for template in read_templates(Path(folder) / "out", place=AWS, given=())
            if template.stack.endswith("-pipeline")
        )
    costs = count(body)
    how = "actions of the template's stages that build, and the commands of their projects"
    shared = "; a provisioning build of its own is shared by all tenants of a batch"
    figures = (
        Figure(
            name="A tenant is provisioned", value=costs.told(), how=f"{how}{shared}. Before: {BEFORE['provisioned']}"
        ),
        Figure(
            name="A release that leaves its pipeline as it is", value=costs.told(), how=f"Before: {BEFORE['released']}"
        ),
        Figure(
            name="A release that changes its pipeline",
            value=costs.told(changed=True),
            how=f"the execution starts over after self-mutation. Before: {BEFORE['changed']}",
        ),
    )
    return Section(title="Builds and installations that a tenant costs", figures=(*figures, *_seconds()))


def count(template: Mapping[str, Any]) -> Costs:
    """Count the builds of an execution and what their commands install, from the template of a pipeline's stack."""
    resources = template["Resources"]
    (pipeline,) = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::CodePipeline::Pipeline")
    projects = [
        resources[action["Configuration"]["ProjectName"]["Ref"]]["Properties"]
        for stage in pipeline["Stages"]
        for action in stage["Actions"]
        if action["ActionTypeId"]["Provider"] == "CodeBuild"
    ]
    commands = [command for project in projects for command in _commands(project)]
    programs = {name for command in commands for name in _PROGRAM.findall(command)}
    sources = [path.read_text(encoding="utf-8") for name in programs for path in (ROOT / "buildspecs").rglob(name)]
    return Costs(
        builds=len(projects),
        always=sum(len(_INSTALL.findall(command)) for command in commands if not command.startswith("if ")),
        when_changed=sum(len(_INSTALL_WORDS.findall(source)) for source in sources),
    )


def _commands(project: Mapping[str, Any]) -> Iterator[str]:
    for phase in json.loads(project["Source"]["BuildSpec"])["phases"].values():
        yield from phase.get("commands", ())


def _seconds() -> Iterator[Figure]:
    try:
        client = LocalCloud.attach(DEFAULT_STATE_DIR).client("codebuild", TOOLCHAIN, HOME)
    except LocalCloudError:
        yield Figure(
            name="Seconds of a build", value="-", how="no local cloud runs: `make demo-up`, then measure again"
        )
        return
    ids = [one for page in client.get_paginator("list_builds").paginate() for one in page["ids"]]
    for job in TENANT_JOBS:
        mine = [one for one in ids if one.partition(":")[0].endswith(f"-{job}") and "-cicd" not in one]
        taken = [
            (build["endTime"] - build["startTime"]).total_seconds()
            for build in (client.batch_get_builds(ids=mine[:100])["builds"] if mine else ())
            if build["buildStatus"] == "SUCCEEDED"
        ]
        if taken:
            told = f"{median(taken):.1f} s ({min(taken):.1f} to {max(taken):.1f})"
            how = f"{len(taken)} builds on the local cloud. Before: {SECONDS_BEFORE.get(job, '-')}"
            yield Figure(name=f"Seconds of a tenant's {job}", value=told, how=how)
