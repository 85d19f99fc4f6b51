"""The function `lifecycle-publish`."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES


class LifecyclePublish(PythonFunction):
    """Reads the streams of the status table and of the releases table, and publishes on the lifecycle bus."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        names, tables = props.names, props.tables
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="lifecycle_publish",
            description="Publishes the steps of deployments and releases that the tables record",
            environment={
                "RELEASES_TABLE": names.releases_table,
                "LIFECYCLE_BUS": names.event_bus,
                "EVENT_SOURCE": names.prefix,
                "ON_ROW_REMOVED": props.lifecycle.on_row_removed,
                "DEAD_LETTER_QUEUE_URL": props.dead_letters.queue_url,
            },
        )
        grant(
            self.role,
            allow(["events:PutEvents"], props.bus.bus.event_bus_arn),
            allow(["dynamodb:GetItem"], tables.releases.table_arn),
            reason=BOUND_BY_NAMES,
        )
        for table in (tables.statuses, tables.releases):
            props.read_stream(self, table, window=cdk.Duration.seconds(0), batch_size=100)
