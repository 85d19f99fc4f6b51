"""The API of a Region: IAM says who may command what, and tells the function who it was."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.encrypted import log_group
from lambdas.resilience.model.failover.names import COMMANDS, FailoverNames

# Requests a second: it is for people.
_RATE, _BURST = 10, 20


class FailoverApi(Construct):
    """`POST /<command>`: a route, and with it a resource of IAM, for each command."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: FailoverNames, function: lambda_.IFunction, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        api = apigateway.HttpApi(
            self,
            "Api",
            api_name=names.failover,
            description="Failovers, commanded from this Region",
            default_authorizer=authorizers.HttpIamAuthorizer(),
            create_default_stage=False,
        )
        integration = integrations.HttpLambdaIntegration("Function", function)
        for command in COMMANDS:
            api.add_routes(path=f"/{command}", methods=[apigateway.HttpMethod.POST], integration=integration)
        logs = log_group(self, "Logs", name=f"/aws/apigateway/{names.failover}", key=key)
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=api,
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=_RATE, burst_limit=_BURST),
        )
        told = {"at": "requestTime", "who": "identity.userArn", "route": "routeKey", "status": "status"}
        cfn = cast("apigateway.CfnStage", stage.node.default_child)
        cfn.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=logs.log_group_arn,
            format=cdk.Fn.join("", ["{", ",".join(f'"{name}":"$context.{of}"' for name, of in told.items()), "}"]),
        )
        ssm.StringParameter(self, "Url", parameter_name=names.api_parameter, string_value=api.api_endpoint)
