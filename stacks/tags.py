"""The configured tags: on every stack, and on all that is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import aws_cdk as cdk
from constructs import IConstruct


def tag_stacks(scope: IConstruct, tags: Mapping[str, str], *, but: Iterable[str] = ()) -> None:
    """Tag every stack below a scope, but for the keys that it has of its own: in any case, for IAM tells no case apart.

    CloudFormation hands a stack's tags on to the resources that the library does not tag. A stage is tagged by whoever
    makes it: what comes to the app afterwards does not reach into it, for the pipeline has synthesized it already.
    """
    own = {key.lower() for key in but}
    tags = {key: value for key, value in tags.items() if key.lower() not in own}
    for key, value in tags.items():
        cdk.Tags.of(scope).add(key, value)
    for stack in (child for child in scope.node.find_all() if isinstance(child, cdk.Stack)):
        if str(stack.node.path).rpartition("/")[0] != scope.node.path:
            continue  # of a stage, which was tagged by whoever made it
        for key, value in tags.items():
            stack.add_stack_tag(key, value)
