"""A serverless component: a stack that keeps notes, and after it one with an API that reads them.

Copy `component/` and `tests/component/` over yours, write `component: {title: ...}` and a `permissions_boundary` into
config/workloads.yaml, for the function's role has a policy of its own. Then run `make schema`, and `granary component
check --write config/policies`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from constructs_lib.saas.component_spec import Needs, Settings, Spec, Tenant
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_

_READER = Path(__file__).with_name("reader")
MEMORY = {Size.SMALL: 128, Size.MEDIUM: 256, Size.LARGE: 512}
_RATE, _BURST = 50, 100  # requests a second


class Notes(Settings):
    """Notes of every tenant."""

    title: str = Field("Notes", min_length=1, max_length=80, description="What the notes are called.")


def build(stage: cdk.Stage, tenant: Tenant[Notes]) -> None:
    """The data first: what reads them refers to their stack, and so comes after it."""
    import aws_cdk as cdk

    data = cdk.Stack(stage, "Data", stack_name=tenant.stack_name("data"), synthesizer=tenant.synthesizer())
    key, table = _keep(data, tenant)
    service = cdk.Stack(stage, "Service", stack_name=tenant.stack_name(), synthesizer=tenant.synthesizer())
    _serve(service, _reader(service, tenant, key=key, table=table), tenant, key=key)
    service.add_stack_dependency(data)


def _keep(stack: cdk.Stack, tenant: Tenant[Notes]) -> tuple[kms.Key, dynamodb.Table]:
    """A table that is archived before it is deleted, and a key that outlives it: archives need it."""
    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms

    from constructs_lib.common.acknowledge import acknowledge
    from constructs_lib.saas.stateful import declare_stateful

    key = kms.Key(
        stack,
        "Key",
        description=f"Notes of {tenant.name}, and their logs",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    # CloudWatch Logs uses the key itself: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    group = f"arn:{cdk.Aws.PARTITION}:logs:{stack.region}:{stack.account}:log-group:*{tenant.name}-*"
    key.grant_encrypt_decrypt(
        iam.ServicePrincipal(
            "logs.amazonaws.com", conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}}
        )
    )
    name = f"{tenant.name}-notes"
    table = dynamodb.Table(
        stack,
        "Notes",
        table_name=name,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    acknowledge(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        reason="It can be recovered to any second of 35 days, and is archived before it is deleted.",
    )
    declare_stateful(stack, "Notes", kind="dynamodb-table", name=name)
    return key, table


def _reader(stack: cdk.Stack, tenant: Tenant[Notes], *, key: kms.Key, table: dynamodb.Table) -> lambda_.Function:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_

    from constructs_lib.common.acknowledge import acknowledge
    from constructs_lib.common.encrypted import log_group

    name = f"{tenant.name}-reader"
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    logs = log_group(stack, "Logs", name=f"/aws/lambda/{name}", key=key)
    _allow(role, table_arn=table.table_arn, key_arn=key.key_arn, logs_arn=logs.log_group_arn)
    function = lambda_.Function(
        stack,
        "Reader",
        function_name=name,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(_READER), exclude=["__pycache__"]),
        role=role,
        log_group=logs,
        memory_size=MEMORY[tenant.size],
        environment={"NOTES_TABLE": table.table_name, "TITLE": tenant.settings.title},
        environment_encryption=key,
    )
    for rule, reason in {
        "NIST.800.53.R5-LambdaInsideVPC": "Calls DynamoDB only, over TLS and as its own role: no VPC has it.",
        "NIST.800.53.R5-LambdaConcurrency": "The API's throttle bounds it, and a reservation takes from the account.",
        "NIST.800.53.R5-LambdaDLQ": "Never invoked asynchronously: the API hands errors to whoever has called.",
    }.items():
        acknowledge(function, rule, reason=reason)
    return function


def _allow(role: iam.Role, *, table_arn: str, key_arn: str, logs_arn: str) -> None:
    from constructs_lib.common.acknowledge import acknowledge_inline_policy
    from constructs_lib.common.grants import allow, grant

    grant(
        role,
        allow(["dynamodb:Scan"], table_arn),
        allow(["kms:Decrypt"], key_arn),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs_arn),
        reason="The streams of its own log group.",
    )
    acknowledge_inline_policy(role)


def _serve(stack: cdk.Stack, reader: lambda_.Function, tenant: Tenant[Notes], *, key: kms.Key) -> None:
    """An HTTP API for whom IAM lets in, with a log of who asked."""
    from typing import cast

    import aws_cdk as cdk
    from aws_cdk import aws_apigatewayv2 as apigateway
    from aws_cdk import aws_apigatewayv2_authorizers as authorizers
    from aws_cdk import aws_apigatewayv2_integrations as integrations

    from constructs_lib.common.encrypted import log_group
    from constructs_lib.saas.public_outputs import declare_public

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


def needs(settings: Notes, size: Size) -> Needs:
    """Two stacks, and the function's role."""
    del settings, size
    return Needs(stacks=2, roles=1)


SPEC = Spec(settings=Notes, needs=needs)
