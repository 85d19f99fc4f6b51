"""What a room's deploy and execution roles must be able to do, and must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.workload_roles.line import Call, Line, asked, in_account

_BUCKETS = "the local cloud's buckets belong to one account"
_BUILDS = "the pipelines' own builds execute it"
_CLOUDFORMATION = "only CloudFormation assumes the role: test_what_cloudformation_makes_for_a_room executes it"


def _change_set(stack: str, role: str) -> Call:
    def call(client: Callable[[str], Any]) -> object:
        formation = client("cloudformation")
        account = client("sts").get_caller_identity()["Account"]
        arn = {"RoleARN": f"arn:aws:iam::{account}:role/{role}"} if role else {}
        template = json.dumps({"Resources": {"Waiting": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
        return formation.create_change_set(
            StackName=stack, ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=template, **arn
        )

    return call


def pair(room: str) -> list[Line]:
    """The lines of a room's deploy and execution roles."""
    other = {"lake": "delivery", "delivery": "lake"}[room]
    deploy, execution = f"granary-{room}-deploy", f"granary-{room}-execution"
    publish, assets = f"granary-{room}-publish", "s3:::cdk-granary-assets-{account}-{region}"
    own, admin = f"granary/{execution}", "admin"
    mine, theirs = (in_account("cloudformation", f"stack/granary-{name}-a/1") for name in (room, other))
    as_own = {"cloudformation:RoleArn": f"arn:{{partition}}:iam::{{account}}:role/{own}"}
    as_admin = {"cloudformation:RoleArn": f"arn:{{partition}}:iam::{{account}}:role/{admin}"}
    create, to = "cloudformation:CreateChangeSet", "iam:PassedToService"
    bucket, s3 = "s3:::granary-artifacts-111111111111-{home}", ("s3:GetObject", "s3:GetObjectVersion")
    via = {"kms:ViaService": "s3.{home}.{suffix}"}
    role = in_account("iam", f"role/{own}", "")
    made = f"role/granary/{room}/granary-{room}-job"
    boundary = {"iam:PermissionsBoundary": f"arn:{{partition}}:iam::{{account}}:policy/{own}"}
    changed = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy")
    named = "CloudFormation's calls, which the local cloud makes from a table of its own"
    return [
        Line(role=deploy, may=True, action=create, on=mine, given=as_own, call=_change_set(f"granary-{room}-a", own)),
        Line(
            role=deploy, may=False, action=create, on=mine, given=as_admin, call=_change_set(f"granary-{room}-a", admin)
        ),
        Line(role=deploy, may=False, action=create, on=mine, call=_change_set(f"granary-{room}-b", "")),
        Line(
            role=deploy, may=False, action=create, on=theirs, given=as_own, call=_change_set(f"granary-{other}-a", own)
        ),
        Line(
            role=deploy,
            may=False,
            action="cloudformation:DeleteStack",
            on=in_account("cloudformation", "stack/silo-acme-resources/1"),
            given=as_own,
            call=lambda client: client("cloudformation").delete_stack(StackName="silo-acme-resources"),
        ),
        *asked(
            deploy, True, role, "iam:PassRole", given={to: "cloudformation.amazonaws.com"}, why="with the change set"
        ),
        *asked(deploy, False, role, "iam:PassRole", given={to: "lambda.amazonaws.com"}, why="no service asks for it"),
        *asked(deploy, True, f"{bucket}/granary-{room}-app/Synth/x", *s3, why=_BUCKETS),
        *asked(deploy, False, f"{bucket}/granary-{other}-app/Synth/x", *s3, why=_BUCKETS),
        *asked(deploy, False, f"{bucket}/granary-cicd/Synth/x", *s3, why=_BUCKETS),
        *asked(deploy, False, f"{bucket}/granary-{room}-app/Synth/x", "s3:PutObject", "s3:DeleteObject", why=_BUCKETS),
        *asked(deploy, True, "kms:{home}:111111111111:key/a", "kms:Decrypt", given=via, why=_BUCKETS),
        *asked(deploy, False, "kms:{home}:111111111111:key/a", "kms:Decrypt", why=_BUCKETS),
        *asked(deploy, False, in_account("kms", "key/a"), "kms:Decrypt", given=via, why=_BUCKETS),
        *asked(publish, True, f"{assets}/{room}/x", "s3:PutObject", why=_BUILDS),
        *asked(publish, False, f"{assets}/x", "s3:PutObject", why=_BUILDS),
        *asked(publish, False, f"{assets}/{other}/x", "s3:GetObject", "s3:PutObject", why=_BUILDS),
        *asked(publish, False, f"{assets}/{room}/x", "s3:DeleteObject", why=_BUILDS),
        *asked(execution, True, in_account("iam", made, ""), *changed, given=boundary, why=_CLOUDFORMATION),
        *asked(execution, False, in_account("iam", made, ""), *changed, why=_CLOUDFORMATION),
        *asked(
            execution,
            False,
            in_account("iam", f"role/granary/{deploy}", ""),
            *changed,
            given=boundary,
            why=_CLOUDFORMATION,
        ),
        *asked(
            execution,
            False,
            role,
            *changed,
            "iam:DeleteRole",
            "iam:PassRole",
            "iam:UpdateAssumeRolePolicy",
            given=boundary,
            why=_CLOUDFORMATION,
        ),
        *asked(
            execution,
            False,
            in_account("iam", f"role/granary-{room}-job", ""),
            *changed,
            given=boundary,
            why=_CLOUDFORMATION,
        ),
        *asked(
            execution,
            False,
            in_account("iam", made, ""),
            "iam:DeleteRolePermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            why=_CLOUDFORMATION,
        ),
        *asked(
            execution,
            False,
            in_account("iam", f"user/granary-{room}-x", ""),
            "iam:CreateUser",
            "iam:PutUserPolicy",
            why=named,
        ),
        *asked(
            execution,
            False,
            in_account("iam", f"policy/{own}", ""),
            "iam:CreatePolicyVersion",
            "iam:CreatePolicy",
            why=named,
        ),
        *asked(execution, True, in_account("lambda", f"function:granary-{room}-f"), "lambda:CreateFunction", why=named),
        *asked(
            execution,
            False,
            in_account("lambda", f"function:granary-{other}-f"),
            "lambda:UpdateFunctionCode",
            why=named,
        ),
        *asked(execution, False, in_account("dynamodb", "table/silo-acme"), "dynamodb:GetItem", why=named),
        *asked(execution, False, "s3:::silo-acme/x", "s3:GetObject", why=named),
        *asked(
            execution, False, in_account("kms", "key/a"), "kms:CreateKey", "kms:Decrypt", "kms:TagResource", why=named
        ),
    ]
