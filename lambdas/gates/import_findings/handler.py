"""Lambda function `import-findings`: reports of gates that arrive in the reports bucket, from EventBridge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import read_settings
from lambdas.gates.import_findings.importing import Import
from lambdas.gates.model.asff import Hub
from lambdas.gates.store.security_hub import SecurityHub


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region."""

    aws_region: str
    toolchain_account: str
    factory: str
    lifecycle_bus: str
    dead_letter_queue_url: str


@cache
def _import() -> Import:
    settings = read_settings(Settings)
    hub = Hub(account=settings.toolchain_account, region=settings.aws_region, factory=settings.factory)
    return Import(
        s3=client("s3"),
        hub=SecurityHub(client=client("securityhub"), hub=hub),
        events=client("events"),
        bus=settings.lifecycle_bus,
        source=settings.factory,
        sqs=client("sqs"),
        letters=settings.dead_letter_queue_url,
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Answer with the counts of findings that were new, updated, reopened, archived and refused."""
    detail = event["detail"]
    return _import().run(detail["bucket"]["name"], detail["object"]["key"])
