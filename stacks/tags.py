"""The configured tags: on every stack, and on all that is in it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk


def tag_stacks(app: cdk.App, tags: Mapping[str, str]) -> None:
    """Tag every stack of the app, those of its stages too; a tag that a stack or resource has by itself stays.

    CloudFormation hands a stack's tags on to the resources that the library does not tag.
    """
    for key, value in tags.items():
        cdk.Tags.of(app).add(key, value, priority=_BELOW_ALL_OTHERS)
    for stack in (child for child in app.node.find_all() if isinstance(child, cdk.Stack)):
        own = set(stack.tags.tag_values())
        for key, value in tags.items():
            if key not in own:
                stack.add_stack_tag(key, value)


_BELOW_ALL_OTHERS = 10
