"""The function that makes applications of tenants, in the Region of the toolchain, where the room saas is asked."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.resilience.failover_region import FailoverProps, FailoverRegion
from lambdas.resilience.model.failover.names import TENANTS_JOB
from lambdas.resilience.model.names import ROOM

# Keys of the table that it writes and, the first of them, takes away: no placement, and no request.
_FORGOTTEN, _WRITTEN = ("applications/*", "claims"), ("history/*", "leases", "seen")


class FailoverTenants(Construct):
    """It asks every five minutes, and works with what the half of its Region has."""

    def __init__(
        self, scope: Construct, construct_id: str, *, props: FailoverProps, half: FailoverRegion, tenants_arn: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._props, names = props, props.names
        self.function = PythonFunction(
            self,
            "Function",
            names=names,
            room=ROOM,
            job=TENANTS_JOB,
            description="Lets tenants that stand in two Regions fail over with their group",
            key=props.key,
            alarm_actions=half.actions,
            environment={"FACTORY": names.prefix},
            documents={"catalogue": props.catalogue.to_json()},
            dead_letters=half.dead_letters,
            role_name=names.tenants,
        )
        self.function.function.configure_async_invoke(retry_attempts=0)
        say = allow(["events:PutEvents"], half.bus.event_bus_arn)
        say.add_condition("StringEquals", {"events:source": names.prefix})
        grant(
            self.function.role,
            allow(["lambda:InvokeFunction"], tenants_arn),
            say,
            *self._table(),
            *self._route53(),
            *self._checks(),
            reason="Of a zone's records it writes those with the names of tenants; a group's items have its name.",
        )
        target = event_targets.LambdaFunction(
            self.function.function,
            event=events.RuleTargetInput.from_object({}),
            dead_letter_queue=half.dead_letters,
            # The next round does the same.
            retry_attempts=0,
        )
        events.Rule(self, "Round", schedule=events.Schedule.rate(cdk.Duration.minutes(5)), targets=[target])

    def _table(self) -> list[iam.PolicyStatement]:
        table = f"arn:{Aws.PARTITION}:dynamodb:{Aws.REGION}:{Aws.ACCOUNT_ID}:table/{self._props.names.failover}"
        bounded = []
        for action, keys in (("PutItem", (*_FORGOTTEN, *_WRITTEN)), ("DeleteItem", _FORGOTTEN)):
            statement = allow([f"dynamodb:{action}"], table)
            statement.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": list(keys)})
            statement.add_condition("Null", {"dynamodb:LeadingKeys": "false"})
            bounded.append(statement)
        return [allow(["dynamodb:GetItem", "dynamodb:Query"], table), *bounded]

    def _route53(self) -> list[iam.PolicyStatement]:
        """Making and taking away CNAMEs with the names of tenants, and changing none that was not read before."""
        zones: dict[str, list[str]] = {}
        for one in self._props.catalogue.tenants:
            zones.setdefault(one.zone, []).append(one.record.replace("{id}", "*"))
        statements = []
        for zone, records in sorted(zones.items()):
            change = allow(["route53:ChangeResourceRecordSets"], _zone(zone))
            key = "route53:ChangeResourceRecordSets"
            one_of = {f"{key}Actions": ["CREATE", "DELETE"], f"{key}RecordTypes": ["CNAME"]}
            change.add_condition("ForAllValues:StringEquals", one_of)
            names = {f"{key}NormalizedRecordNames": sorted(set(records))}
            change.add_condition("ForAllValues:StringLike", names)
            statements.append(change)
        return [*statements, allow(["route53:ListResourceRecordSets"], *map(_zone, sorted(zones)))]

    def _checks(self) -> list[iam.PolicyStatement]:
        names, catalogue = self._props.names, self._props.catalogue
        first = f"arn:{Aws.PARTITION}:ssm:{catalogue.regions[0]}:{Aws.ACCOUNT_ID}:parameter"
        groups = sorted({one.group for one in catalogue.tenants})
        return [allow(["ssm:GetParameter"], *(f"{first}{names.check_parameter(one, '*')}" for one in groups))]


def _zone(zone: str) -> str:
    return f"arn:{Aws.PARTITION}:route53:::hostedzone/{zone}"
