"""The functions of the main job: onboarding, the sweep, the pipelines' watch, and the publisher of lifecycle events."""

from __future__ import annotations

from constructs import Construct

from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.lifecycle_events import LifecyclePublish
from constructs_lib.saas.onboarding import Onboard
from constructs_lib.saas.pipeline_watch import PipelineWatch
from constructs_lib.saas.sweep import Sweep


class Reconciler(Construct):
    """Four functions, each with a role of its own that may do what its code calls and nothing more."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        super().__init__(scope, construct_id)
        self.onboard = Onboard(self, "Onboard", props=props)
        self.pipeline_watch = PipelineWatch(self, "PipelineWatch", props=props)
        self.sweep = Sweep(self, "Sweep", props=props, watch=self.pipeline_watch)
        self.lifecycle_publish = LifecyclePublish(self, "LifecyclePublish", props=props)
        self.functions = (self.onboard, self.sweep, self.pipeline_watch, self.lifecycle_publish)
