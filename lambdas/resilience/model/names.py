"""Physical names of the room; pure."""

from __future__ import annotations

from lambdas.common.names import WORKLOAD_ROLE_PATH, Names
from lambdas.common.partitions import partition_of

ROOM = "resilience"
# Of templates and experiments, with the attempt's id: by it they are found when nobody could note their own ids.
ATTEMPT_TAG = "granary:attempt"
# The same of builds.
ATTEMPT_VARIABLE = "GRANARY_ATTEMPT"


class ResilienceNames(Names):
    """Names of what the room has in the toolchain's account, and of its roles in workload accounts."""

    @property
    def attempts_table(self) -> str:
        """Table with an item a tenant: the attempt that holds it, and those of before."""
        return self.room_stack(ROOM, "attempts")

    @property
    def chaos_function(self) -> str:
        """Function that tenants' pipelines invoke."""
        return self.room_function(ROOM, "fis_trigger")

    @property
    def runner_role(self) -> str:
        """Role of that function, which the roles in workload accounts trust."""
        return self.room_role(ROOM, "runner")

    def workload_role_arn(self, purpose: str, *, account: str, region: str) -> str:
        """ARN of one of the room's roles in a workload account: `run` or `experiment`."""
        role = f"role{WORKLOAD_ROLE_PATH}{self.room_role(ROOM, purpose)}"
        return f"arn:{partition_of(region)}:iam::{account}:{role}"
