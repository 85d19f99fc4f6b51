"""The pipelines of the lake's environments: stacks of the toolchain's account that deploy into the lake's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from constructs import Construct

from config.loader import CONFIG_DIR
from config.models.lake_datasets import FOLDER
from constructs_lib.common.pipeline_deployment import pipeline_synthesizer
from constructs_lib.common.room_pipeline import RoomPipeline, RoomPipelineProps
from constructs_lib.common.room_pipeline_roles import RoomRoles
from constructs_lib.common.source import SourceProps
from constructs_lib.lake.crawlers import Crawled
from constructs_lib.lake.zone_bucket import Keeping
from lambdas.common.errors import GranaryError
from lambdas.common.names import ROOM_TAG, Names
from lambdas.lake.model.names import ROOM, LakeNames, Zone
from lambdas.lake.model.objects import Folder
from stacks.buildspecs import commands_of
from stacks.foundation import Foundation
from stacks.lake.etl import EtlStack, EtlStackProps
from stacks.lake.infrastructure import InfrastructureProps, InfrastructureStack
from stacks.lake.plan import LakePlan, Part, Wanted, pipeline_stack
from stacks.tags import tag_stacks
from stacks.versions import cdk_cli

if TYPE_CHECKING:
    from config.models import Configuration
    from config.models.lake import Environment, Section
    from config.models.toolchain import Toolchain


_ZONES = {"conformed": Zone.CONFORMED, "purpose_built": Zone.PURPOSE_BUILT}


def lake_roles_of(configuration: Configuration) -> RoomRoles:
    """The roles that the lake's pipelines share."""
    return RoomRoles(names=Names(prefix=configuration.toolchain.prefix), room=ROOM)


def source_of(toolchain: Toolchain, environment: Environment) -> SourceProps:
    """The factory's source, at the environment's own branch or object key."""
    own = {"object_key": environment.object_key, "branch": environment.branch}
    return SourceProps(**toolchain.source.model_dump() | {key: value for key, value in own.items() if value})


def sources_of_datasets(toolchain: Toolchain, section: Section) -> dict[str, SourceProps]:
    """The sources of the datasets that have one of their own, by the folder where each is looked for."""
    return {
        f"{CONFIG_DIR.name}/{FOLDER}/{one.name}": SourceProps(**toolchain.source.model_dump() | one.own)
        for one in section.dataset_sources
    }


def build_pipelines(app: cdk.App, *, configuration: Configuration, plan_file: str) -> None:
    """Add one stack a pipeline to the app."""
    plan = LakePlan.read(Path(plan_file))
    section: Section = configuration.rooms[ROOM]  # type: ignore[assignment]
    environments = {one.name: one for one in section.environments}
    for wanted in plan.pipelines:
        if wanted.environment not in environments:
            raise GranaryError(
                f"lake.yaml has no environment {wanted.environment}: bring it back, or remove its stacks"
            )
        LakePipelineStack(
            app,
            configuration=configuration,
            section=section,
            environment=environments[wanted.environment],
            part=wanted.part,
            plan=plan,
        )


class LakePipelineStack(cdk.Stack):
    """`<prefix>-lake-<environment>-<part>-pipeline`."""

    def __init__(
        self,
        scope: Construct,
        *,
        configuration: Configuration,
        section: Section,
        environment: Environment,
        part: Part,
        plan: LakePlan,
    ) -> None:
        toolchain, roles = configuration.toolchain, lake_roles_of(configuration)
        wanted = Wanted(environment=environment.name, part=part)
        name = pipeline_stack(roles.names, wanted)
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=cdk.Environment(account=toolchain.account, region=toolchain.region),
            synthesizer=pipeline_synthesizer(
                deploy_role=roles.role("pipeline-deploy"),
                execution_role=roles.role("pipeline-execution"),
                folder=roles.folder,
            ),
        )
        self.add_stack_tag(ROOM_TAG, f"{toolchain.prefix}/{ROOM}")
        infrastructure = Wanted(environment=environment.name, part=Part.INFRASTRUCTURE)
        before = _pipeline(roles.names, infrastructure) if part is Part.ETL else ""
        made = RoomPipeline(
            self,
            "Lake",
            props=RoomPipelineProps(
                name=_pipeline(roles.names, wanted),
                roles=roles,
                source=source_of(toolchain, environment),
                synth=commands_of(ROOM, "synth"),
                environment={"LAKE_PIPELINE": f"{environment.name}/{part.value}"},
                artifact_keys={one: plan.artifact_keys[one] for one in (self.region, environment.region)},
                cli_version=cdk_cli(),
                # Jobs stand in the network, and write into the buckets, of the same commit.
                after=before,
                besides=sources_of_datasets(toolchain, section) if part is Part.ETL else {},
            ),
        )
        stage = cdk.Stage(
            self,
            "Deploy",
            env=cdk.Environment(account=environment.account, region=environment.region),
            permissions_boundary=cdk.PermissionsBoundary.from_name(configuration.workloads.permissions_boundary or ""),
        )
        add_part(stage, configuration=configuration, section=section, environment=environment, part=part)
        tag_stacks(stage, toolchain.tags)
        made.deploy(stage, asked=f"Deploys the lake {environment.name}: {part}" if environment.approval else "")
        made.finish()


def add_part(
    scope: Construct, *, configuration: Configuration, section: Section, environment: Environment, part: Part
) -> None:
    """Add the stack of a part of an environment."""
    common: dict[str, Any] = {
        "names": LakeNames(prefix=configuration.toolchain.prefix, environment=environment.name),
        "env": cdk.Environment(account=environment.account, region=environment.region),
        "qualifier": configuration.workloads.bootstrap_qualifier,
    }
    if part is Part.INFRASTRUCTURE:
        InfrastructureStack(scope, **common, props=_infrastructure(section, environment))
        return
    datasets = [one.dataset for one in section.datasets]
    folders = [Folder(dataset=one.name, prefix=one.prefix, table=one.table) for one in datasets]
    files = {f"{one.dataset.name}/{name}": text for one in section.datasets for name, text in one.files.items()}
    crawled = [Crawled(domain=one.name, zone=_ZONES[one.zone], schedule=one.schedule) for one in environment.crawlers]
    props = EtlStackProps(
        folders=folders,
        definitions=files,
        personas=section.permissions.querying(environment.account) if section.permissions else {},
        domains=crawled,
        bus=Foundation.of(configuration).arn("events", f"event-bus/{common['names'].event_bus}"),
    )
    EtlStack(scope, **common, props=props)


def _infrastructure(section: Section, environment: Environment) -> InfrastructureProps:
    kept = section.retention_of(environment)
    given = {Zone.RAW: kept.raw, Zone.CONFORMED: kept.conformed, Zone.PURPOSE_BUILT: kept.purpose_built}
    keeping = {
        zone: Keeping(
            days=one.days,
            noncurrent_days=one.noncurrent_days,
            archive_days=one.archive_days,
            production=environment.production,
        )
        for zone, one in given.items()
    }
    return InfrastructureProps(cidr=environment.cidr, zones=environment.azs, keeping=keeping)


def _pipeline(names: Names, wanted: Wanted) -> str:
    return pipeline_stack(names, wanted).removesuffix("-pipeline")
