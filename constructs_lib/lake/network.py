"""The network that jobs run in: private subnets in any number of zones, and endpoints instead of a way out."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge

# What jobs and their connections call from inside.
_ENDPOINTS = ("GLUE", "KMS", "SSM", "SECRETS_MANAGER", "STEP_FUNCTIONS", "CLOUDWATCH_LOGS")
_GATEWAYS = ("S3", "DYNAMODB")


class Network(Construct):
    """A VPC without a way to the internet, in all zones of its stack.

    Costs an interface endpoint's price for each of six, in each zone.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, cidr: str) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=name,
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            max_azs=len(cdk.Stack.of(self).availability_zones),
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="jobs", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            ],
            restrict_default_security_group=False,
            gateway_endpoints={
                one: ec2.GatewayVpcEndpointOptions(service=getattr(ec2.GatewayVpcEndpointAwsService, one))
                for one in _GATEWAYS
            },
        )
        # Glue asks for a group that lets everything in from itself:
        # https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html
        self.security_group = ec2.SecurityGroup(
            self, "Group", vpc=self.vpc, description="Jobs of the lake, and the endpoints", allow_all_outbound=True
        )
        self.security_group.add_ingress_rule(self.security_group, ec2.Port.all_tcp(), "Among the jobs' machines")
        for one in _ENDPOINTS:
            self.vpc.add_interface_endpoint(
                one.title().replace("_", ""),
                service=getattr(ec2.InterfaceVpcEndpointAwsService, one),
                security_groups=[self.security_group],
                open=False,
            )
        acknowledge(
            self.vpc,
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
            reason="Nothing is in the default group; closing it would bring a custom resource with a role of its own.",
        )
        acknowledge(
            self.vpc,
            "AwsSolutions-VPC7",
            "NIST.800.53.R5-VPCFlowLogsEnabled",
            reason="Only Glue's machines are in it, and there is no way out but to endpoints of AWS.",
        )
