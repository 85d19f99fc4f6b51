"""What an environment of the lake stands on: network, buckets, and the queue in which they tell of new objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.lake.arrivals import Arrivals
from constructs_lib.lake.network import Network
from constructs_lib.lake.zone_bucket import Keeping, zone_bucket
from lambdas.lake.model.names import RESULTS, RESULTS_DAYS, TEMPORARY, LakeNames, Zone
from stacks.lake.base import LakeStack


@dataclass(frozen=True, kw_only=True)
class InfrastructureProps:
    """The network's range and number of Availability Zones, and how long objects of each zone of the lake are kept."""

    cidr: str
    zones: int
    keeping: Mapping[Zone, Keeping]


class InfrastructureStack(LakeStack):
    """`<prefix>-lake-<environment>-infrastructure`."""

    def __init__(
        self,
        scope: Construct,
        *,
        names: LakeNames,
        env: cdk.Environment,
        qualifier: str,
        props: InfrastructureProps,
    ) -> None:
        self._zones = props.zones
        super().__init__(scope, names=names, part="infrastructure", env=env, qualifier=qualifier)
        self._network(props)
        keys = {zone: self.key(zone) for zone in Zone}
        logs = PrivateBucket.access_logs(
            self,
            "AccessLogs",
            name=names.access_logs_bucket(self.account, self.region),
            sources=names.part(""),
        )
        arrivals = Arrivals(self, "Arrivals", name=names.arrivals_queue, key=keys[Zone.DATA])
        for zone in Zone:
            name = names.bucket(zone, self.account, self.region)
            bucket = zone_bucket(
                self,
                zone.value.title(),
                name=name,
                key=keys[zone],
                access_logs=logs,
                keeping=props.keeping.get(zone, Keeping()),
                temporary={TEMPORARY: 1, RESULTS: RESULTS_DAYS} if zone is Zone.DATA else {},
            )
            if zone is Zone.RAW:
                arrivals.told_by(bucket, name)

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """The first zones of the account, whatever they are called: the library would look them up at synth."""
        return [cdk.Fn.select(number, cdk.Fn.get_azs()) for number in range(self._zones)]

    def _network(self, props: InfrastructureProps) -> None:
        network = Network(self, "Network", name=self.names.part("network"), cidr=props.cidr)
        subnet = network.vpc.isolated_subnets[0]
        for what, value in (
            ("subnet", subnet.subnet_id),
            ("zone", subnet.availability_zone),
            ("security-group", network.security_group.security_group_id),
        ):
            ssm.StringParameter(
                self, f"Parameter-{what}", parameter_name=self.names.network_parameter(what), string_value=value
            )
