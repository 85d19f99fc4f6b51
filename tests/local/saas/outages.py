"""Events that do not arrive for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_cloud.factory.granary import Granary
from tests.local.saas.factory import Factory


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What a rule of the toolchain says: when it invokes which target, and its state."""

    expression: str
    state: str
    target: str


def stop_the_schedule(granary: Granary) -> Schedule:
    """Let the only rule that runs at an interval, the sweep's, do nothing; answers what it was until then."""
    events = granary.client("events")
    (rule,) = [rule for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression")]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    events.disable_rule(Name=rule["Name"])
    return Schedule(expression=rule["ScheduleExpression"], state=rule["State"], target=target["Arn"])


@contextmanager
def stream_is_lost(factory: Factory) -> Iterator[None]:
    """Onboarding hears nothing of rows that are put meanwhile."""
    client = factory.granary.client("lambda")
    mappings = client.list_event_source_mappings(FunctionName=factory.names.function("onboard"))["EventSourceMappings"]
    (uuid,) = [mapping["UUID"] for mapping in mappings]
    client.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextmanager
def pipeline_events_are_lost(factory: Factory) -> Iterator[None]:
    """The watch hears nothing of executions meanwhile."""
    events = factory.granary.client("events")
    (name,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "PipelineChanged" in rule["Name"]]
    events.disable_rule(Name=name)
    try:
        yield
    finally:
        events.enable_rule(Name=name)
