"""The service: Fargate tasks behind a load balancer of the landing zone's network, under the tenant's DNS name."""

from __future__ import annotations

import hashlib
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53

from component.database import Database
from component.task import SERVED, task
from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.public_outputs import declare_public

_TLS = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
_HTTPS = 443
_LONGEST = 32


def add_service(stack: cdk.Stack, tenant: Tenant[Any], database: Database, *, cluster: ecs.CfnCluster) -> None:
    """Add it to the cluster; a deployment whose tasks do not answer is rolled back by ECS, and fails."""
    balancers, tasks = _groups(stack, tenant)
    balancer = _balancer(stack, tenant, group=balancers)
    targets = elb.CfnTargetGroup(
        stack,
        "Targets",
        name=_short(f"{tenant.name}-shop"),
        vpc_id=tenant.place.vpc(stack),
        port=SERVED,
        protocol="HTTP",
        target_type="ip",
        health_check_path="/health",
        health_check_protocol="HTTP",
        target_group_attributes=[
            elb.CfnTargetGroup.TargetGroupAttributeProperty(key="deregistration_delay.timeout_seconds", value="30")
        ],
    )
    listener = elb.CfnListener(
        stack,
        "Listener",
        load_balancer_arn=balancer.ref,
        port=_HTTPS,
        protocol="HTTPS",
        ssl_policy=_TLS,
        certificates=[elb.CfnListener.CertificateProperty(certificate_arn=tenant.place.certificate(stack))],
        default_actions=[elb.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
    )
    _run(stack, tenant, database, cluster=cluster, targets=targets, group=tasks).add_dependency(listener)
    domain = tenant.parameters["domain"]
    route53.CfnRecordSet(
        stack,
        "Domain",
        hosted_zone_id=tenant.place.zone(stack),
        name=domain,
        type="A",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(
            dns_name=balancer.attr_dns_name,
            hosted_zone_id=balancer.attr_canonical_hosted_zone_id,
            evaluate_target_health=True,
        ),
    )
    declare_public(stack, "Address", value=f"https://{domain}")


def _short(name: str) -> str:
    """A name of at most 32 characters that begins as the long one, and is no other's."""
    if len(name) <= _LONGEST:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - len(mark) - 1].rstrip('-')}-{mark}"


def _groups(stack: cdk.Stack, tenant: Tenant[Any]) -> tuple[ec2.CfnSecurityGroup, ec2.CfnSecurityGroup]:
    """Of the load balancer, which the network's own addresses reach, and of the tasks, which that reaches alone."""
    group, vpc = ec2.CfnSecurityGroup, tenant.place.vpc(stack)
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    balancers = group(
        stack,
        "Balancers",
        group_description="Load balancer",
        vpc_id=vpc,
        security_group_ingress=[
            group.IngressProperty(ip_protocol="tcp", from_port=_HTTPS, to_port=_HTTPS, cidr_ip=one, description="HTTPS")
            for one in networks
        ],
        security_group_egress=[
            group.EgressProperty(ip_protocol="tcp", from_port=SERVED, to_port=SERVED, cidr_ip=one, description="Tasks")
            for one in networks
        ],
    )
    tasks = group(
        stack,
        "Tasks",
        group_description="Tasks",
        vpc_id=vpc,
        security_group_ingress=[
            group.IngressProperty(
                ip_protocol="tcp",
                from_port=SERVED,
                to_port=SERVED,
                source_security_group_id=balancers.attr_group_id,
                description="The load balancer",
            )
        ],
        security_group_egress=[
            group.EgressProperty(
                ip_protocol="tcp", from_port=443, to_port=443, cidr_ip="0.0.0.0/0", description="AWS, by TLS"
            )
        ],
    )
    return balancers, tasks


def _balancer(stack: cdk.Stack, tenant: Tenant[Any], *, group: ec2.CfnSecurityGroup) -> elb.CfnLoadBalancer:
    attribute = elb.CfnLoadBalancer.LoadBalancerAttributeProperty
    balancer = elb.CfnLoadBalancer(
        stack,
        "Balancer",
        name=_short(f"{tenant.name}-shop"),
        type="application",
        scheme="internal",
        subnets=tenant.place.subnets(stack),
        security_groups=[group.attr_group_id],
        load_balancer_attributes=[
            attribute(key="routing.http.drop_invalid_header_fields.enabled", value="true"),
            attribute(key="routing.http.desync_mitigation_mode", value="strictest"),
        ],
    )
    logged = "Whoever wants logs of requests names the bucket of a log archive here."
    for rules, reason in {
        ("AwsSolutions-ELB2", "NIST.800.53.R5-ELBLoggingEnabled"): logged,
        ("NIST.800.53.R5-ALBWAFEnabled",): "It is reached from the network's own addresses alone.",
        ("NIST.800.53.R5-ELBDeletionProtectionEnabled",): "It goes with its tenant, and keeps nothing.",
    }.items():
        acknowledge(balancer, *rules, reason=reason)
    balancer.add_metadata("checkov", {"skip": [{"id": "CKV_AWS_91", "comment": logged}]})
    return balancer


def _run(
    stack: cdk.Stack,
    tenant: Tenant[Any],
    database: Database,
    *,
    cluster: ecs.CfnCluster,
    targets: elb.CfnTargetGroup,
    group: ec2.CfnSecurityGroup,
) -> ecs.CfnService:
    definition = task(stack, "Task", tenant, database, name=tenant.name)
    service = ecs.CfnService
    return service(
        stack,
        "Service",
        service_name=tenant.name,
        cluster=cluster.ref,
        task_definition=definition.ref,
        launch_type="FARGATE",
        desired_count=tenant.settings.desired,
        health_check_grace_period_seconds=60,
        propagate_tags="SERVICE",
        enable_ecs_managed_tags=True,
        deployment_configuration=service.DeploymentConfigurationProperty(
            deployment_circuit_breaker=service.DeploymentCircuitBreakerProperty(enable=True, rollback=True),
            minimum_healthy_percent=100,
            maximum_percent=200,
        ),
        load_balancers=[
            service.LoadBalancerProperty(container_name="shop", container_port=SERVED, target_group_arn=targets.ref)
        ],
        network_configuration=service.NetworkConfigurationProperty(
            awsvpc_configuration=service.AwsVpcConfigurationProperty(
                assign_public_ip="DISABLED",
                subnets=tenant.place.subnets(stack),
                security_groups=[group.attr_group_id, database.clients.attr_group_id],
            )
        ),
    )
