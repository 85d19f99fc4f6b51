"""Which CloudFormation types a local cloud has, and whether something stands behind them; serves nothing."""

from __future__ import annotations

# Of these it keeps a record, and nothing behaves as that says: no machine, no network, no database, no certificate.
PRETENDED = frozenset(
    {
        "AutoScaling",
        "Backup",
        "CertificateManager",
        "CloudFront",
        "EC2",
        "EFS",
        "EKS",
        "ElastiCache",
        "ElasticLoadBalancingV2",
        "OpenSearchService",
        "RDS",
        "WAFv2",
    }
)


def known_types() -> dict[str, str]:
    """`deploys` or `pretends`, by type; it refuses every other."""
    from ministack.services.cloudformation import provisioners

    from local_cloud.server import application

    application.build()
    found = {
        name: "pretends" if name.split("::")[1] in PRETENDED else "deploys" for name in provisioners._RESOURCE_HANDLERS
    }
    return dict(sorted(found.items()))
