"""Physical names of an environment of the lake; pure.

They begin with `<prefix>-lake-`, by which the policies of the room's roles in a workload account know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.names import Names

ROOM = "lake"
# Folder of the bucket DATA with what jobs copy to read; it goes after a day.
TEMPORARY = "temporary/"
# Folder of the same bucket with the results of queries, one below it for each persona; days that they stay.
RESULTS, RESULTS_DAYS = "results/", 7
# Folder of a zone's bucket with the tables that others' jobs write, one below it for each domain.
DOMAINS = "domains/"


class Zone(StrEnum):
    """What is kept apart, each with a key of its own; DATA is tables, queues, topics, logs and what is temporary."""

    RAW = "raw"
    CONFORMED = "conformed"
    PURPOSE_BUILT = "purpose-built"
    DATA = "data"


@dataclass(frozen=True, kw_only=True)
class GovernanceNames(Names):
    """Names of what governs all environments, in the toolchain's account."""

    @property
    def governance(self) -> str:
        """The table with leases and what is ours, the state machine, and the stack of both."""
        return self.room_stack(ROOM, "governance")

    def plans_bucket(self, account: str, region: str) -> str:
        return f"{self.room_stack(ROOM, 'plans')}-{account}-{region}"


@dataclass(frozen=True, kw_only=True)
class LakeNames(Names):
    """Names of one environment: a lake has several, also in one account."""

    environment: str

    def part(self, name: str) -> str:
        """What is the environment's own: stacks, tables, queues, topics, machines, jobs, parameters."""
        return f"{self.prefix}-{ROOM}-{self.environment}-{name}"

    def bucket(self, zone: Zone, account: str, region: str) -> str:
        return f"{self.part(zone.value)}-{account}-{region}"

    def access_logs_bucket(self, account: str, region: str) -> str:
        """The environment's own bucket for access logs: S3 delivers them within an account only."""
        return f"{self.part('logs')}-{account}-{region}"

    def database(self, zone: Zone) -> str:
        """Glue database of a zone; Athena knows no hyphens there."""
        return f"{self.catalog_prefix(ROOM)}{self.environment}_{zone.value}".replace("-", "_")

    def room_function(self, room: str, job: str) -> str:
        return self.part(job.replace("_", "-"))

    def key_parameter(self, zone: Zone) -> str:
        """SSM parameter with the ARN of a zone's key, which the account's administrator has made."""
        return f"/{self.prefix}/{ROOM}/{self.environment}/keys/{zone.value}"

    def network_parameter(self, what: str) -> str:
        """SSM parameter with a part of the network: `subnet`, `zone` or `security-group`."""
        return f"/{self.prefix}/{ROOM}/{self.environment}/network/{what}"

    def domain_database(self, domain: str) -> str:
        """Glue database of the tables that a crawler finds."""
        return f"{self.catalog_prefix(ROOM)}{self.environment}_{domain}"

    def crawler(self, domain: str) -> str:
        """The crawler of a domain, and its role; without a domain, what the names of all begin with."""
        return self.part(f"crawler-{domain}")

    @property
    def crawled(self) -> str:
        """Rule, and its role, that tell the factory of crawlers that have ended."""
        return self.part("crawled")

    @property
    def audit_table(self) -> str:
        return self.part("audit")

    @property
    def arrivals_queue(self) -> str:
        """Queue with S3's messages about new raw objects."""
        return self.part("arrivals")

    @property
    def machine(self) -> str:
        return self.part("etl")

    @property
    def notices_topic(self) -> str:
        """Topic of those who are told how runs end."""
        return self.part("notices")
