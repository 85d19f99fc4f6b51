"""What of the component's templates the rules of tests/synth/rules let pass, and why that may be."""

from __future__ import annotations

# Who does not say for which account or resource it acts, where.
UNGUARDED = {
    ("ecs-tasks.amazonaws.com", "trust"): "as ECS documents the task execution role; passed in its own account only",
    ("ecs.amazonaws.com", "trust"): "as ECS documents the role of Express Mode; passed in its own account only",
}
# What a rule finds in stacks of tenants, by the rule's name and the end of what it says.
EXCEPTED: dict[tuple[str, str], str] = {}
# What the execution policy allows beside what the templates need: action, resource, and why.
WIDER = {
    (
        "iam:PassRole",
        "arn:*:iam::*:role/*-express-infrastructure",
    ): "the role bears the factory's prefix, whatever that is",
}
