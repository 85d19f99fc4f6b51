"""Declaring what of a component everybody may know, so that nobody has to ask its account for it."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from lambdas.saas.model.public_outputs import LONGEST_NAME, PUBLIC_PREFIX


def declare_public(scope: Construct, name: str, *, value: str) -> cdk.CfnOutput:
    """Have an output told in the tenant's status, on the bus and by `granary status`; `name` is alphanumeric.

    An address, or a link to the console: never a secret. 20 of a place are told, of at most 512 characters each. Of two
    stacks that declare the same name, the one whose own name comes first is told.

    Raises:
        ValueError: the name is too long.
    """
    if len(name) > LONGEST_NAME:
        raise ValueError(f"the name of the public output {name} has more than {LONGEST_NAME} characters: shorten it")
    output = cdk.CfnOutput(scope, f"{PUBLIC_PREFIX}{name}", value=value)
    output.override_logical_id(f"{PUBLIC_PREFIX}{name}")
    return output
