"""The configured tags: on every stack, and on all that is in it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

# A tag that somebody gave to a resource has 100.
_BELOW_ALL_OTHERS = 10


def tag_stacks(scope: IConstruct, tags: Mapping[str, str]) -> None:
    """Tag every stack below a scope; a tag that a stack or resource has by itself stays.

    CloudFormation hands a stack's tags on to the resources that the library does not tag. A stage is tagged by whoever
    makes it: what comes to the app afterwards does not reach into it, for the pipeline has synthesized it already.
    """
    for key, value in tags.items():
        cdk.Tags.of(scope).add(key, value, priority=_BELOW_ALL_OTHERS)
    for stack in (child for child in scope.node.find_all() if isinstance(child, cdk.Stack)):
        own = set(stack.tags.tag_values())
        for key, value in tags.items():
            if key not in own:
                stack.add_stack_tag(key, value)
