"""Which CloudFormation types a local cloud has, and whether something stands behind them; starts no server."""

from __future__ import annotations

# A record is kept of these, and nothing behaves as it says: no container, no traffic, no key or rule that is applied.
_PRETENDED = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupVault",
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFront::Distribution",
        "AWS::EC2::FlowLog",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
    }
)
_PLACEHOLDERS = "AWS::CloudFormation::"


def known_types() -> dict[str, str]:
    """`deploys` or `pretends`, by type; it refuses every other."""
    from ministack.services.cloudformation import provisioners

    from local_cloud.server import application

    application.build()
    handlers = provisioners._RESOURCE_HANDLERS
    found = {name: "pretends" if name in _PRETENDED else "deploys" for name in handlers}
    return dict(sorted(found.items()))
