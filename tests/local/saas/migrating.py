"""Tenants with a migration before their component and a check after it, and what these are here."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

from lambdas.common.names import DEPLOYMENT_TAG
from local_cloud.factory.granary import Row
from tests.local.ecs_support import write_images
from tests.local.saas.factory import Factory

MIGRATES = Row(id="migrates", type="silo", region="us-east-1", ring="general")
# Nothing leads back from its migration.
ONWARD = Row(id="onward", type="silo", region="us-east-1", ring="general")

_NAMES = tuple(f"{row.type}-{row.id}" for row in (MIGRATES, ONWARD))
# Added to every component before the first release.
TASKS = f"""
if tenant.name in {_NAMES!r}:
    from aws_cdk import aws_ecs as ecs

    from constructs_lib.common.acknowledge import acknowledge
    from constructs_lib.saas.tasks import declare_task
    from lambdas.saas.model.tasks import Ecs

    schema = cdk.Stack(stage, "Schema", stack_name=tenant.stack_name("schema"), synthesizer=tenant.synthesizer())
    name = f"{{tenant.name}}-schema"
    insights = [{{"name": "containerInsights", "value": "enhanced"}}]
    cluster = ecs.CfnCluster(schema, "Cluster", cluster_name=name, cluster_settings=insights)
    for kind, place in (("Migrate", schema), ("Check", stack)):
        image = f"example/{{kind.lower()}}:{{tenant.name}}"
        container = ecs.CfnTaskDefinition.ContainerDefinitionProperty(
            name="Main", image=image, readonly_root_filesystem=True
        )
        definition = ecs.CfnTaskDefinition(
            place,
            f"{{kind}}Definition",
            family=f"{{tenant.name}}-{{kind.lower()}}",
            cpu="256",
            memory="512",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            container_definitions=[container],
        )
        acknowledge(definition, "AwsSolutions-ECS7", reason="It writes no log.")
        task = Ecs(cluster=name, definition=definition.ref, subnets=("subnet-12345678",))
        if kind == "Migrate":
            rollback = "never" if tenant.id == "{ONWARD.id}" else ""
            declare_task(schema, kind, before=stack, ecs=task, rollback=rollback)
        elif tenant.id == "{ONWARD.id}":
            declare_task(stack, kind, build=f"{{tenant.name}}-check")
            declare_task(stack, "Tell", function=f"{{tenant.name}}-tell")
        else:
            declare_task(stack, kind, ecs=task)
"""
# What the last task of one of them answers when it is asked as it should be.
_TELL = """
def handler(event, context):
    asked = {name: event.get(name) for name in ("task", "when", "deployment")}
    if asked != {"task": "Tell", "when": "after", "deployment": "onward"} or len(event["idempotency_key"]) != 64:
        raise ValueError(f"asked {event}")
"""
# It counts itself, and ends as a file says.
_PROGRAM = """
import os, pathlib, sys
here = pathlib.Path(sys.argv[1])
name = os.environ["IMAGE"].replace("/", "-").replace(":", "-")
with (here / f"{name}.runs").open("a") as file:
    file.write(os.environ["TASK"] + "\\n")
code = here / f"{name}.exit"
sys.exit(int(code.read_text()) if code.exists() else 0)
"""


class Programs:
    """What tasks run on this machine: how often they ran, and how they end from now on."""

    def __init__(self, factory: Factory) -> None:
        state = factory.granary.cloud.settings.state_dir
        self._here = state / "tasks"
        self._here.mkdir(exist_ok=True)
        program = self._here / "program.py"
        program.write_text(_PROGRAM, encoding="utf-8")
        self._factory, self._program = factory, program
        command = [sys.executable, "-IS", str(program), str(self._here)]
        self._add(state / "images.json", {"example/migrate:*": command, "example/check:*": command})

    def make_check_and_tell(self) -> None:
        """The project and the function of the one whose tasks are no containers, as its account's people make them."""
        name, place = f"{ONWARD.type}-{ONWARD.id}", {"account": ONWARD.account, "region": ONWARD.region}
        image = f"example/check:{name}"
        run = f"IMAGE={image} TASK=$GRANARY_KEY {sys.executable} -IS {self._program} {self._here}"
        builds = self._role(f"{name}-build", "codebuild", "logs:*")
        self._factory.granary.client("codebuild", **place).create_project(
            name=f"{name}-check",
            serviceRole=builds,
            source={
                "type": "NO_SOURCE",
                "buildspec": json.dumps({"version": 0.2, "phases": {"build": {"commands": [run]}}}),
            },
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            tags=[{"key": DEPLOYMENT_TAG, "value": ONWARD.id}],
        )
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", _TELL)
        self._factory.granary.client("lambda", **place).create_function(
            FunctionName=f"{name}-tell",
            Runtime="python3.11",
            Role=self._role(f"{name}-tell", "lambda", "logs:*"),
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
            Tags={DEPLOYMENT_TAG: ONWARD.id},
        )

    def _role(self, name: str, service: str, *actions: str) -> str:
        iam = self._factory.granary.client("iam", account=ONWARD.account)
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)
        return str(arn)

    @staticmethod
    def _add(file: Path, images: dict[str, list[str]]) -> None:
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        write_images(file, {**known, **images})

    def end_with(self, kind: str, row: Row, code: int) -> None:
        """How a tenant's `migrate` or `check` ends from now on."""
        (self._here / f"example-{kind}-{row.type}-{row.id}.exit").write_text(str(code), encoding="utf-8")

    def runs(self, kind: str, row: Row) -> int:
        """How often it has run."""
        file = self._here / f"example-{kind}-{row.type}-{row.id}.runs"
        return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0
