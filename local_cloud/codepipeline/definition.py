"""The pipeline definition as the engine reads it: typed, frozen, made from the API's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ActionType:
    """What executes an action."""

    category: str
    owner: str
    provider: str
    version: str

    def __str__(self) -> str:
        return f"{self.category}/{self.owner}/{self.provider}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action declaration."""

    name: str
    type: ActionType
    run_order: int
    configuration: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role_arn: str | None
    region: str
    namespace: str | None
    timeout_minutes: int | None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage declaration; ``on_failure`` is ROLLBACK, RETRY or FAIL."""

    name: str
    actions: tuple[Action, ...]
    on_failure: str
    retry_mode: str

    def groups(self) -> list[list[Action]]:
        """The actions by run order: a group runs in parallel, the groups one after the other."""
        orders = sorted({action.run_order for action in self.actions})
        return [[action for action in self.actions if action.run_order == order] for order in orders]


@dataclass(frozen=True, kw_only=True)
class ArtifactStore:
    """The bucket that holds a Region's artifacts."""

    bucket: str
    kms_key_id: str | None


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A pipeline's structure; ``document`` is what GetPipeline returns."""

    name: str
    role_arn: str
    version: int
    stages: tuple[Stage, ...]
    stores: Mapping[str, ArtifactStore]
    execution_mode: str
    pipeline_type: str
    variable_defaults: Mapping[str, str | None]
    document: Mapping[str, Any]

    def stage(self, name: str) -> Stage | None:
        """The stage of that name."""
        return next((stage for stage in self.stages if stage.name == name), None)


def _action(declaration: Mapping[str, Any], *, region: str) -> Action:
    return Action(
        name=declaration["name"],
        type=ActionType(**declaration["actionTypeId"]),
        run_order=declaration.get("runOrder", 1),
        configuration=dict(declaration.get("configuration", {})),
        inputs=tuple(artifact["name"] for artifact in declaration.get("inputArtifacts", [])),
        outputs=tuple(artifact["name"] for artifact in declaration.get("outputArtifacts", [])),
        role_arn=declaration.get("roleArn"),
        region=declaration.get("region", region),
        namespace=declaration.get("namespace"),
        timeout_minutes=declaration.get("timeoutInMinutes"),
    )


def _stage(declaration: Mapping[str, Any], *, region: str) -> Stage:
    on_failure = declaration.get("onFailure", {})
    return Stage(
        name=declaration["name"],
        actions=tuple(_action(action, region=region) for action in declaration["actions"]),
        on_failure=on_failure.get("result", "FAIL"),
        retry_mode=on_failure.get("retryConfiguration", {}).get("retryMode", "FAILED_ACTIONS"),
    )


def _stores(document: Mapping[str, Any], *, region: str) -> dict[str, ArtifactStore]:
    stores = document.get("artifactStores") or {region: document["artifactStore"]}
    return {
        where: ArtifactStore(bucket=store["location"], kms_key_id=store.get("encryptionKey", {}).get("id"))
        for where, store in stores.items()
    }


def parse_definition(document: Mapping[str, Any], *, region: str) -> Definition:
    """Read a document that ``validation.validate`` has accepted; ``region`` is the pipeline's own."""
    return Definition(
        name=document["name"],
        role_arn=document["roleArn"],
        version=document["version"],
        stages=tuple(_stage(stage, region=region) for stage in document["stages"]),
        stores=_stores(document, region=region),
        execution_mode=document["executionMode"],
        pipeline_type=document["pipelineType"],
        variable_defaults={item["name"]: item.get("defaultValue") for item in document.get("variables", [])},
        document=document,
    )
