"""What is known of CloudFormation's stacks by themselves, and decides what can be done with them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The first creation has failed, and what it had made is gone: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html
NEVER_STOOD = "ROLLBACK_COMPLETE"
# Nothing was made of it yet: a change set has, and waits.
IN_REVIEW = "REVIEW_IN_PROGRESS"
# Stacks that hold nothing, so that nothing is lost when they are deployed over.
HOLD_NOTHING = frozenset({NEVER_STOOD, IN_REVIEW})


def tags_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a stack, as DescribeStacks has it."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}
