"""How long resolvers take to answer with the other Region, on the local cloud's Route 53 and DNS server."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.common import clock
from lambdas.common.metrics import FACTORY, NAMESPACE, CloudWatchMetrics
from lambdas.resilience.model.failover.names import GROUP_DIMENSION, OUT_DIMENSION, SWITCH_METRIC, FailoverNames
from lambdas.resilience.store.failover.watch import Watch
from local_cloud.cloud import LocalCloud
from local_cloud.factory.resolvers import Resolvers
from tests.bench.figures import Figure, at_most
from tests.unit.lambdas.resilience.failover.aws import A, B

_ACCOUNT, _FACTORY, _GROUP, _DOMAIN = "111111111111", "granary", "shop", "example.com"
_NAMES, _RESOLVERS, _TTL = 100, 10, 60
_ALARM = FailoverNames(prefix=_FACTORY).alarm(_GROUP, A)


def figures() -> list[Figure]:
    """Throw the switch when every resolver has just asked, which is the worst moment."""
    with TemporaryDirectory(prefix="granary-bench-") as folder, LocalCloud.start(Path(folder)) as cloud:
        _bring_records(cloud)
        names = [f"app{number}.{_DOMAIN}" for number in range(_NAMES)]
        resolvers = Resolvers.of(cloud.dns, count=_RESOLVERS)
        assert all(A in one for one in resolvers.ask(names))
        cloudwatch = cloud.client("cloudwatch", _ACCOUNT, B)
        metrics = CloudWatchMetrics(client=cloudwatch, factory=_FACTORY)
        Watch(cloudwatch=cloudwatch, ssm=None, metrics=metrics, region=B).publish({(_GROUP, A): 1}, now=clock.now())
        taken = resolvers.until(names, lambda one: B in one)
    return [
        at_most(
            f"Seconds until 95 % of {_NAMES * _RESOLVERS:,} answers lead to the other Region",
            taken,
            limit=_TTL + 20,
            shown=f"{taken:.1f} s",
            unit=" s",
            how=f"by the switch, of {_RESOLVERS} resolvers that had just asked; {_TTL} s of it are the TTL",
        )
    ]


def _bring_records(cloud: LocalCloud) -> None:
    """The alarm, the health check and the records, as the stacks make them."""
    cloud.client("cloudwatch", _ACCOUNT, B).put_metric_alarm(
        AlarmName=_ALARM,
        Namespace=NAMESPACE,
        MetricName=SWITCH_METRIC,
        Dimensions=[
            {"Name": name, "Value": value}
            for name, value in ((FACTORY, _FACTORY), (GROUP_DIMENSION, _GROUP), (OUT_DIMENSION, A))
        ],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    route53 = cloud.client("route53", _ACCOUNT, A)
    zone = route53.create_hosted_zone(Name=_DOMAIN, CallerReference="bench")["HostedZone"]["Id"]
    check = route53.create_health_check(
        CallerReference="bench",
        HealthCheckConfig={
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Region": B, "Name": _ALARM},
            "InsufficientDataHealthStatus": "LastKnownStatus",
        },
    )["HealthCheck"]["Id"]
    changes = [_record(number, region, check) for number in range(_NAMES) for region in (A, B)]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _record(number: int, region: str, check: str) -> dict[str, Any]:
    its = {
        "Name": f"app{number}.{_DOMAIN}",
        "Type": "CNAME",
        "SetIdentifier": region,
        "Weight": 100 if region == A else 0,
        "TTL": _TTL,
        "ResourceRecords": [{"Value": f"app{number}.{region}.example.net"}],
    }
    return {"Action": "CREATE", "ResourceRecordSet": {**its, "HealthCheckId": check} if region == A else its}
