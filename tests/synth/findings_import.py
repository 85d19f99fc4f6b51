"""The function that imports findings in a stack of its own, as a room's stack has it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_s3 as s3

from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.imported import Imported
from constructs_lib.gates.findings_import import FindingsImport, FindingsImportProps
from lambdas.common.names import Names
from tests.synth.assembly import Template
from tests.synth.configurations import AWS_FROM_EUROPE, TOOLCHAIN_ACCOUNT
from tests.synth.synthesis import add_all_rules, feature_flags, synthesize_and_report

REPORTS = f"granary-reports-{TOOLCHAIN_ACCOUNT}-{AWS_FROM_EUROPE.home}"


def synthesized() -> tuple[Template, str]:
    """The template, and what the rules of a synthesis find."""
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    env = cdk.Environment(account=TOOLCHAIN_ACCOUNT, region=AWS_FROM_EUROPE.home)
    stack = cdk.Stack(app, "granary-gates", env=env)
    names = Names(prefix="granary")
    shared = Imported(stack, "Shared", names=names)
    props = FindingsImportProps(
        names=names,
        reports=s3.Bucket.from_bucket_name(stack, "Reports", REPORTS),
        key=shared.key,
        bus=shared.bus,
        dead_letters=dead_letter_queue(stack, "DeadLetters", name="granary-gates-dead-letters", key=shared.key),
        alarm_actions=[cloudwatch_actions.SnsAction(topic) for topic in shared.topics],
    )
    FindingsImport(stack, "Import", props=props)
    add_all_rules(app)
    found = synthesize_and_report(app)
    body = app.synth().get_stack_by_name("granary-gates").template if not found else {}
    template = Template(
        stack="granary-gates", account=TOOLCHAIN_ACCOUNT, region=AWS_FROM_EUROPE.home, place=AWS_FROM_EUROPE, body=body
    )
    return template, found
