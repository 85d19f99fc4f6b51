"""What a landing zone demands of all stacks at once: where builds run, and what bounds roles."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import IConstruct

from config.models import Configuration
from constructs_lib.common.builds import BuildPlace, place_builds
from constructs_lib.common.role_path import BOUNDARY


def bound_roles(app: cdk.App, configuration: Configuration) -> None:
    """Have every role that an app makes bear the factory's permissions boundary, if it has one.

    What goes into workload accounts says itself what it has there: `Foundation.workload_boundary`. Call it while the
    app is empty.
    """
    if boundary := configuration.toolchain.permissions_boundary:
        app.node.set_context(BOUNDARY, {"name": boundary})


def settle_builds(scope: IConstruct, configuration: Configuration) -> None:
    """Have every project of an app or a stage run, and get packages from, where the configuration says."""
    builds = configuration.toolchain.builds
    place = BuildPlace(
        vpc=builds.vpc or "",
        subnets=builds.subnets,
        security_groups=builds.security_groups,
        variables=builds.variables(),
        secrets=builds.secrets(),
    )
    if place != BuildPlace():
        place_builds(scope, place)
