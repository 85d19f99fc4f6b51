"""The room `saas`: the toolchain, which all other rooms stand on, and the tenants' pipelines."""

from __future__ import annotations

import aws_cdk as cdk

from config.models import Configuration
from stacks.room import Room

# Context that asks for all rules where tenants are synthesized.
RULES = "rules"


def _factory(app: cdk.App, configuration: Configuration, _: str) -> None:
    from stacks.saas.factory import build_factory
    from stacks.validation import add_rules

    build_factory(app, configuration=configuration)
    add_rules(app)


def _tenants(app: cdk.App, configuration: Configuration, plan_file: str) -> None:
    from stacks.saas.tenants import build_tenants

    build_tenants(app, configuration=configuration, plan_file=plan_file)
    # Releases have been through CI/CD: their synths take half the time without.
    if app.node.try_get_context(RULES):
        from stacks.validation import add_rules

        add_rules(app)


ROOM = Room(name="saas", always=True, modes={"factory": _factory, "tenants": _tenants})
