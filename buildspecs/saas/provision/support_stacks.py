"""The stacks that CDK puts beside a pipeline stack, one for each other Region that needs a bucket or key of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.common.cloud_assembly import stacks_in
from lambdas.common.stack_events import stack_of
from lambdas.saas.model.status import StackRef

SupportStacks = Callable[[str, Path], tuple[StackRef, ...]]


@dataclass(frozen=True, kw_only=True)
class DeployedSupport:
    """Support stacks that exist; `cloudformation` gives the client of a Region, `account` is the toolchain's."""

    cloudformation: Callable[[str], Any]
    account: str

    def of(self, pipeline_stack: str, assembly: Path) -> tuple[StackRef, ...]:
        """The support stacks of a pipeline stack; the pipelines of this factory have none, which costs no call."""
        return tuple(
            StackRef(kind="support", stack_id=stack["StackId"], account=self.account, region=region)
            for name, region in sorted(named_support(pipeline_stack, assembly))
            if (stack := stack_of(self.cloudformation(region), name))
        )


def named_support(pipeline_stack: str, assembly: Path) -> Iterator[tuple[str, str]]:
    """Names and Regions of the stacks in an assembly that are named `<pipeline stack>-support-<Region>`."""
    for one in stacks_in(assembly, nested=False):
        if one.name == f"{pipeline_stack}-support-{one.region}":
            yield one.name, one.region
