#!/usr/bin/env python3
"""The app: reads the configuration, picks the mode, builds the stacks.

Without context it is the toolchain. With `-c tenants=FILE` it is the pipelines of the tenants that the file names
(`stacks.saas.plan`): that is how provisioning builds and the tenants' own pipelines synthesize.
"""

from __future__ import annotations

import aws_cdk as cdk

from config.loader import load


def main() -> None:
    """Synthesize."""
    app = cdk.App(analytics_reporting=False)
    configuration = load()
    tenants = app.node.try_get_context("tenants")
    if tenants:
        from stacks.saas.tenants import build_tenants

        build_tenants(app, configuration=configuration, plan_file=tenants)
    else:
        from stacks.saas.factory import build_factory
        from stacks.validation import add_rules

        build_factory(app, configuration=configuration)
        add_rules(app)
    app.synth()


main()
