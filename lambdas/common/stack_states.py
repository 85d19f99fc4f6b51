"""States of CloudFormation's stacks that decide what can be done with them; pure."""

from __future__ import annotations

# The first creation has failed, and what it had made is gone: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html
NEVER_STOOD = "ROLLBACK_COMPLETE"
# Nothing was made of it yet: a change set has, and waits.
IN_REVIEW = "REVIEW_IN_PROGRESS"
# Stacks that hold nothing, so that nothing is lost when they are deployed over.
HOLD_NOTHING = frozenset({NEVER_STOOD, IN_REVIEW})
