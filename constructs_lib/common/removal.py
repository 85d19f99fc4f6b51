"""What outlives its stack: data, and the keys that they are encrypted with."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

# But for the creation that fails: what it leaves bears fixed names, and would block every further one.
KEPT = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

# `cdk deploy -c first=true`; CI/CD never says it, nor does whoever deploys a factory that stands.
_FIRST = "first"


def is_first_creation(scope: Construct) -> bool:
    """Whether the factory is created for the first time: what is protected from deletion could not be rolled back."""
    return scope.node.try_get_context(_FIRST) in (True, "true")
