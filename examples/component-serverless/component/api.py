"""The stack that tells the notes: a function, an HTTP API in front of it, and a check after it was deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from component.function import add_function
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.public_outputs import declare_public
from constructs_lib.saas.tasks import declare_task
from lambdas.saas.model.declared import is_arn
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    from component.notes import Notes

MEMORY = {Size.SMALL: 128, Size.MEDIUM: 256, Size.LARGE: 512}
_RATE, _BURST = 50, 100  # requests a second


def add_api(stack: cdk.Stack, tenant: Tenant[Notes], *, key: kms.Key, table: dynamodb.Table) -> None:
    """The function reads what the row refers to when it runs: no secret is in a template."""
    may = [allow(["dynamodb:Scan"], table.table_arn)]
    if signing := tenant.parameters["signing"]:
        may.append(allow(["secretsmanager:GetSecretValue"], _secret(stack, signing)))
    reader = add_function(
        stack,
        "Reader",
        name=f"{tenant.name}-reader",
        memory=MEMORY[tenant.size],
        environment={
            "NOTES_TABLE": table.table_name,
            "TITLE": tenant.settings.title,
            "LIMIT": tenant.parameters["limit"],
            "SIGNING": signing,
        },
        may=may,
        key=key,
    )
    declare_task(stack, "Check", function=reader.function_name)
    _serve(stack, reader, tenant, key=key)


def _secret(stack: cdk.Stack, reference: str) -> str:
    """What policies call it: a name has six characters more in the secret's ARN."""
    if is_arn(reference):
        return reference
    return f"arn:{cdk.Aws.PARTITION}:secretsmanager:{stack.region}:{stack.account}:secret:{reference}-??????"


def _serve(stack: cdk.Stack, reader: lambda_.Function, tenant: Tenant[Notes], *, key: kms.Key) -> None:
    """An HTTP API for whom IAM lets in, with a log of who asked."""
    api = apigateway.HttpApi(
        stack,
        "Api",
        api_name=f"{tenant.name}-notes",
        default_authorizer=authorizers.HttpIamAuthorizer(),
        create_default_stage=False,
    )
    reads = integrations.HttpLambdaIntegration("Reader", reader)
    api.add_routes(path="/notes", methods=[apigateway.HttpMethod.GET], integration=reads)
    logs = log_group(stack, "Requests", name=f"/aws/apigateway/{tenant.name}-notes", key=key)
    throttle = apigateway.ThrottleSettings(rate_limit=_RATE, burst_limit=_BURST)
    served = apigateway.HttpStage(stack, "Stage", http_api=api, auto_deploy=True, throttle=throttle)
    cfn = cast("apigateway.CfnStage", served.node.default_child)
    told = {"at": "requestTime", "who": "identity.userArn", "route": "routeKey", "status": "status"}
    cfn.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
        destination_arn=logs.log_group_arn,
        format="{" + ",".join(f'"{name}":"$context.{of}"' for name, of in told.items()) + "}",
    )
    cdk.CfnOutput(stack, "Address", value=api.api_endpoint)
    declare_public(stack, "Address", value=api.api_endpoint)
