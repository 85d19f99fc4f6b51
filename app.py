#!/usr/bin/env python3
"""The app: reads the configuration, and has the rooms build the stacks that the context asks for.

Without context it is the factory. With `-c tenants=FILE` it is the pipelines of the tenants that the file names
(`stacks.saas.plan`): that is how provisioning builds and the tenants' own pipelines synthesize. Several modes are built
side by side. `-c configuration=DIR` reads another configuration than `config/`.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import aws_cdk as cdk

from config.loader import CONFIG_DIR, ConfigurationError, load
from stacks.landing_zone import bound_roles, settle_builds
from stacks.rooms import rooms
from stacks.tags import tag_stacks

DEFAULT_MODE = "factory"


def main() -> None:
    """Synthesize."""
    # It ends before any garbage is worth looking for.
    gc.disable()
    app = cdk.App(analytics_reporting=False)
    try:
        configuration = load(Path(app.node.try_get_context("configuration") or CONFIG_DIR))
    except ConfigurationError as error:
        sys.exit(f"error: {error}")
    # Stacks without a synthesizer of their own are deployed with the roles of these bootstrap stacks.
    app.node.set_context("@aws-cdk/core:bootstrapQualifier", configuration.toolchain.bootstrap_qualifier)
    bound_roles(app, configuration)
    modes = {key: build for room in rooms() for key, build in room.modes.items()}
    asked = {key: value for key in modes if (value := app.node.try_get_context(key))}
    if not asked:
        for line in configuration.without_effect():
            print(f"warning: {line}", file=sys.stderr)
    for key, value in (asked or {DEFAULT_MODE: ""}).items():
        modes[key](app, configuration, value)
    settle_builds(app, configuration)
    tag_stacks(app, configuration.toolchain.tags)
    app.synth()


main()
