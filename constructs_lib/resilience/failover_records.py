"""What failovers find in Route 53: a health check a group and Region, and two weighted records an application."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_route53 as route53
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.removal import KEPT
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Group, Mode
from lambdas.resilience.model.failover.names import FailoverNames
from lambdas.resilience.model.failover.placement import FULL, NONE


def health_checks(scope: Construct, *, names: FailoverNames, catalogue: Catalogue) -> None:
    """Make the health checks, each the state of an alarm of the other Region: what takes a Region out is not in it.

    An alarm that cannot be told leaves its health check as it was. One whose group is renamed or gets no switch stays:
    this stack comes before those of the records, which still name it.
    """
    for group in catalogue.groups:
        if group.mode is not Mode.SWITCH:
            continue
        for region in catalogue.regions:
            check = route53.CfnHealthCheck(
                scope,
                f"{group.name}-{region}",
                health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                    type="CLOUDWATCH_METRIC",
                    alarm_identifier=route53.CfnHealthCheck.AlarmIdentifierProperty(
                        name=names.alarm(group.name, region), region=catalogue.other(region)
                    ),
                    insufficient_data_health_status="LastKnownStatus",
                ),
                health_check_tags=[
                    route53.CfnHealthCheck.HealthCheckTagProperty(key="Name", value=f"{group.name} in {region}")
                ],
            )
            check.apply_removal_policy(KEPT)
            ssm.StringParameter(
                scope,
                f"{group.name}-{region}-id",
                parameter_name=names.check_parameter(group.name, region),
                string_value=check.attr_health_check_id,
            )


def records(
    scope: Construct, *, names: FailoverNames, groups: Sequence[Group], applications: Sequence[Application]
) -> None:
    """Make the records of applications: all weight is with the primary Region."""
    by_name = {one.name: one for one in groups}
    for one in applications:
        group = by_name[one.group]
        route53.CfnRecordSetGroup(
            scope,
            f"{one.group}-{one.name}",
            hosted_zone_id=one.zone,
            comment=f"{one.name} of {one.group}: its weights are changed by failovers",
            record_sets=[_record(scope, names, group, one, region) for region in one.endpoints],
        )


def _record(
    scope: Construct, names: FailoverNames, group: Group, one: Application, region: str
) -> route53.CfnRecordSetGroup.RecordSetProperty:
    endpoint, check = one.endpoints[region], names.check_parameter(group.name, region)
    alias = route53.CfnRecordSetGroup.AliasTargetProperty(
        dns_name=endpoint.dns_name,
        hosted_zone_id=endpoint.zone,
        # It would fail over by itself, whatever the table says.
        evaluate_target_health=False,
    )
    is_switched = group.mode is Mode.SWITCH
    return route53.CfnRecordSetGroup.RecordSetProperty(
        name=one.record,
        type=one.type,
        set_identifier=region,
        weight=FULL if region == group.primary else NONE,
        health_check_id=ssm.StringParameter.value_for_string_parameter(scope, check) if is_switched else None,
        alias_target=alias if endpoint.zone else None,
        ttl=None if endpoint.zone else str(one.ttl),
        resource_records=None if endpoint.zone else [endpoint.dns_name],
    )
