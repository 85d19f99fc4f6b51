"""Clients that cannot reach a Region, as in its outage: the function's own role with a session policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lambdas.common.clients import client_as


def denied(
    sts: Any, role: str, *, denied_region: str, region: str, make: Callable[..., Any] = client_as
) -> Callable[[str], Any]:
    """What makes clients of the Region `region` whose calls to `denied_region` are refused.

    Route 53's control plane is in one Region of the partition, and is denied with it.
    """
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": denied_region}},
            },
        ],
    }
    session = sts.assume_role(RoleArn=role, RoleSessionName="granary-drill", Policy=json.dumps(policy))
    credentials = session["Credentials"]
    return lambda service: make(service, region=region, credentials=credentials)
