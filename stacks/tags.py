"""The configured tags: on every stack, and on all that is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import aws_cdk as cdk
from constructs import IConstruct


def tag_stacks(scope: IConstruct, tags: Mapping[str, str], *, but: Iterable[str] = ()) -> None:
    """Tag every stack below a scope, but for the keys that it has of its own: in any case, for IAM tells no case apart.

    `but` are keys that what is in the stacks has. CloudFormation hands a stack's tags on to the resources that the
    library does not tag. A stage is tagged by whoever makes it: what comes to the app afterwards does not reach into
    it, for the pipeline has synthesized it already.
    """
    for stack in (child for child in scope.node.find_all() if isinstance(child, cdk.Stack)):
        if str(stack.node.path).rpartition("/")[0] != scope.node.path:
            continue  # of a stage, which was tagged by whoever made it
        own = {key.lower() for key in (*but, *stack.tags.tag_values())}
        for key, value in tags.items():
            if key.lower() not in own:
                tag_whole(stack, key, value)


def tag_whole(stack: cdk.Stack, key: str, value: str) -> None:
    """Tag a stack, and all that is in it."""
    cdk.Tags.of(stack).add(key, value)
    stack.add_stack_tag(key, value)
