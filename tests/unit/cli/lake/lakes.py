"""Two lakes in a configuration: one in the account of the tests' credentials, one elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.saas.factory import ACCOUNT, REGION, Factory

EXAMPLES = Path(__file__).parents[4] / "config/examples/all"
ELSEWHERE = "222222222222"
DEV = {"name": "dev", "account": ACCOUNT, "region": REGION, "object_key": "dev.zip", "cidr": "10.0.0.0/24"}
PROD = {**DEV, "name": "prod", "account": ELSEWHERE, "object_key": "prod.zip", "cidr": "10.1.0.0/24"}


def make_table(factory: Factory, name: str) -> None:
    """Make a table with ids."""
    factory.db.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
