"""How many tenants' builds the account takes at once, so that no ring fails by its own size."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.saas.model.names import TENANT_BUILDS_QUOTA

logger = logging.getLogger(__name__)

_QUOTA = {"ServiceCode": "codebuild", "QuotaCode": TENANT_BUILDS_QUOTA}
# One that runs, and five that wait: https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html
_PLACES = 6


class BuildPlaces(Protocol):
    """Port to what CodeBuild takes."""

    def count(self) -> int | None: ...


@dataclass(frozen=True, kw_only=True)
class QuotaOfBuilds:
    """Service Quotas of this account and Region; a young account may take fewer builds than it says."""

    client: Any

    def count(self) -> int | None:
        """The builds that run and wait at most; None where nobody can tell, which holds no release up."""
        try:
            return max(1, _PLACES * int(self.client.get_service_quota(**_QUOTA)["Quota"]["Value"]))
        except (BotoCoreError, ClientError) as error:
            logger.warning("the quota of concurrent builds could not be read, rings are as configured: %s", error)
            return None
