"""What the factory's own builds may leave behind as gates: about its source and templates, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from constructs_lib.common.grants import grant
from stacks.foundation import Foundation
from stacks.gates.room import ROOM
from tests.synth.assembly import Template
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.iam import Toolchain

_FOUNDATION = Foundation.of(configuration(AWS))
_RELEASES = f"arn:aws:s3:::{_FOUNDATION.names.releases_bucket(TOOLCHAIN_ACCOUNT, AWS.home)}"
_REPORTS = f"arn:aws:s3:::{_FOUNDATION.names.reports_bucket(TOOLCHAIN_ACCOUNT, AWS.home)}"
_NEW = {"s3:if-none-match": "*"}


@pytest.fixture(
    params=[ROOM.before_synth[0].statements, lambda found: ROOM.check_statements(found, None)], ids=["source", "synth"]
)
def build(request: pytest.FixtureRequest) -> Toolchain:
    """A build with what the room says that it needs."""
    statements: Callable[[Foundation], Sequence[iam.PolicyStatement]] = request.param
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "build", env=cdk.Environment(account=TOOLCHAIN_ACCOUNT, region=AWS.home))
    role = iam.Role(stack, "Role", role_name="build", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    grant(role, *statements(_FOUNDATION), reason="What the room says that its builds need.")
    body = app.synth().get_stack_by_name("build").template
    return Toolchain(template=Template(stack="build", account=TOOLCHAIN_ACCOUNT, region=AWS.home, place=AWS, body=body))


def test_it_leaves_verdicts_and_changes_none(build: Toolchain) -> None:
    verdict = f"{_RELEASES}/verdicts/abc/secrets/2026.json"
    assert build.allows("build", "s3:PutObject", verdict, _NEW)
    assert not build.allows("build", "s3:PutObject", verdict, {})
    assert not build.allows("build", "s3:PutObject", f"{_RELEASES}/releases/abc.zip", _NEW)


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("findings/source/secrets/1.jsonl.gz", True),
        ("findings/templates/policies/1.jsonl.gz", True),
        ("findings/payments/main/payments-secrets/1.jsonl.gz", False),
        ("verdicts/payments/abc/payments-secrets/2026.json", False),
    ],
)
def test_it_says_nothing_about_a_repository(build: Toolchain, key: str, may: bool) -> None:
    assert build.allows("build", "s3:PutObject", f"{_REPORTS}/{key}", _NEW) is may
