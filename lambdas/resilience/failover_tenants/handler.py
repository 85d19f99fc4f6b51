"""Lambda function `failover_tenants`: every five minutes, tenants that stand in both Regions become applications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common import clock
from lambdas.common.aws_errors import ignoring
from lambdas.common.clients import client
from lambdas.common.pipeline_jobs import ask
from lambdas.common.settings import Document, read_settings
from lambdas.resilience.failover_tenants.round import Round
from lambdas.resilience.model.failover.catalogue import Catalogue, Group
from lambdas.resilience.model.failover.names import FailoverNames
from lambdas.resilience.store.failover.bus import Bus
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import FailoverTable

# What is left for the table when nothing more is written to Route 53.
_LEAST_MILLISECONDS = 60_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region; `catalogue` is the configuration, as JSON."""

    aws_region: str
    factory: str
    catalogue: Document


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Do a round; with `{"take_away": 12}`, a person has confirmed that so many applications may go."""
    settings = read_settings(Settings)
    names, catalogue = FailoverNames(prefix=settings.factory), Catalogue.from_json(settings.catalogue)
    confirmed = event.get("take_away", 0)
    Round(
        region=settings.aws_region,
        holder=context.aws_request_id,
        catalogue=catalogue,
        table=FailoverTable(client=client("dynamodb"), name=names.failover, region=settings.aws_region),
        dns=Dns(client=client("route53")),
        bus=Bus(events=client("events"), name=names.failover, source=settings.factory),
        ask=lambda question: ask(names.tenants_function, question, client("lambda")),
        checks=lambda group: _checks(names, catalogue, group),
        clock=clock.now,
        in_time=lambda: bool(context.get_remaining_time_in_millis() > _LEAST_MILLISECONDS),
    ).run(confirmed if isinstance(confirmed, int) else 0)


def _checks(names: FailoverNames, catalogue: Catalogue, group: Group) -> dict[str, str]:
    """The ids of a group's health checks, by Region; their stack, which has them, is the first Region's."""
    ssm, found = client("ssm", catalogue.regions[0]), dict[str, str]()
    for region in catalogue.regions:
        with ignoring("ParameterNotFound"):
            name = names.check_parameter(group.name, region)
            found[region] = str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    return found
