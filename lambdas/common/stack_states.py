"""States of CloudFormation's stacks that decide what can be done with them; pure."""

from __future__ import annotations

# The first creation has failed, and what it had made is gone: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html
NEVER_STOOD = "ROLLBACK_COMPLETE"
