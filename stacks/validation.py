"""The rules that every synthesis of the toolchain must pass."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks


def add_rules(app: cdk.App) -> None:
    """Check the app with the AwsSolutions and NIST 800-53 R5 packs; an unacknowledged finding fails the synthesis.

    The CDK's own rules come on top: `@aws-cdk/core:validateAgainstDefaultRules` in `cdk.json` makes errors of them.
    """
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
