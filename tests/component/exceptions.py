"""What of the component's templates the rules of tests/synth/rules let pass, and why that may be."""

from __future__ import annotations

# Who does not say for which account or resource it acts, where.
UNGUARDED = {
    ("ecs-tasks.amazonaws.com", "trust"): "as ECS documents the task execution role; passed in its own account only",
    ("ecs.amazonaws.com", "trust"): "as ECS documents the role of Express Mode; passed in its own account only",
}
