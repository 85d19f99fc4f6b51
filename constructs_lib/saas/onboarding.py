"""The function `onboard`."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES

# Rows that come close together share a build: the batch is as large as a stream's can be, and waits a second to fill.
# https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
ROWS_BATCH_SIZE = 1000
ROWS_WINDOW_SECONDS = 1


class Onboard(PythonFunction):
    """Reads the stream of the deployments table, and starts builds and lifecycles."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="onboard",
            description="Takes in what happens to the rows of the deployments table",
            environment={**props.build_settings(), "DEAD_LETTER_QUEUE_URL": props.dead_letters.queue_url},
            documents={"target_policy": props.target_policy},
        )
        tables = props.tables
        grant(
            self.role,
            *props.build_statements(),
            allow(["dynamodb:GetItem"], tables.deployments.table_arn),
            allow(["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], tables.statuses.table_arn),
            reason=BOUND_BY_NAMES,
        )
        window = cdk.Duration.seconds(ROWS_WINDOW_SECONDS)
        props.read_stream(self, tables.deployments, window=window, batch_size=ROWS_BATCH_SIZE)
