"""Jobs of tenants' pipelines that ask for their assets: one build publishes what many of them wait for.

Each delivery of a job looks, decides, writes, and only then does. What comes twice finds what was written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.aws_errors import may_pass
from lambdas.common.clock import moment, stamp
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.idempotency import start_token
from lambdas.common.pipeline_jobs import Later
from lambdas.saas.assets.publishing import Order, Publishing, Seen
from lambdas.saas.model.assets import Asset, Claim, Take, Wait, Waits, decide, not_published
from lambdas.saas.model.names import deployment_of_pipeline, pipeline_name
from lambdas.saas.store.asset_claims import AssetClaims

logger = logging.getLogger(__name__)

_VERSION = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a job asks for: the tenant, the execution of its pipeline, and the assembly (`bucket/key` in S3)."""

    deployment: str
    type: str
    execution: str
    cli_version: str
    location: str

    @property
    def pipeline(self) -> str:
        return pipeline_name(self.type, self.deployment)

    @staticmethod
    def of_parameters(given: Mapping[str, str], *, location: str) -> Asked:
        """Read an action's parameters.

        Raises:
            GranaryError: the version of the CLI is none, or the tenant is. Both reach the CLI's command line.
        """
        if not deployment_of_pipeline(pipeline_name(given["type"], given["deployment"])):
            raise GranaryError(f"{given['type']!r} {given['deployment']!r} is no tenant")
        if not _VERSION.fullmatch(given["cli_version"]):
            raise GranaryError(f"{given['cli_version']!r} is no version of the CDK CLI")
        wanted = {name: given[name] for name in ("deployment", "type", "execution", "cli_version")}
        return Asked(location=location, **wanted)


@dataclass(frozen=True, kw_only=True)
class Work:
    """Takes jobs; `missing` looks which assets are not where they should be, `patience` is how long a job waits."""

    claims: AssetClaims
    builds: Publishing
    missing: Callable[[Iterable[Asset]], list[Asset]]
    patience: timedelta
    clock: Callable[[], datetime]

    def job(self, asked: Asked, listed: Callable[[], Sequence[Asset]], *, token: str) -> str | Later:
        """Take a job; `listed` reads what its assembly lists. The answer is that all is there, or that it goes on.

        Raises:
            GranaryError: it was not published; a retry of the stage tries again.
        """
        now = self.clock()
        waits = Waits.from_json(token) if token else Waits(until=stamp(now + self.patience))
        try:
            answer = self._job(asked, listed, waits, now)
        except CapacityError as error:
            logger.info("%s has to wait: %s", asked.execution, error)
            answer = replace(waits, build="", own=False)
        except (BotoCoreError, ClientError) as error:
            if not may_pass(error):
                raise GranaryError(f"assets cannot be published: {error}") from error
            logger.info("%s has to wait: %s", asked.execution, error)
            answer = waits
        if isinstance(answer, str):
            return answer
        if now > moment(answer.until):
            what = f"build {answer.build} " if answer.build else "a build "
            raise GranaryError(not_published(f"{what}was waited for, and is not over in time"))
        return Later(token=answer.to_json())

    def _job(self, asked: Asked, listed: Callable[[], Sequence[Asset]], waits: Waits, now: datetime) -> str | Waits:
        seen = self.builds.look(waits.build) if waits.build else Seen(over=True)
        if not seen.over:
            return waits
        assets = listed()
        missing = self.missing(assets)
        if not missing:  # a build that failed may have failed of what is another one's
            if waits.own:
                self.claims.give_back([one.key for one in assets], by=asked.execution)
            return f"{len(assets)} assets are where they should be"
        if seen.said:
            if waits.own or waits.failed:
                raise GranaryError(not_published(seen.said))
            waits = replace(waits, failed=waits.build)
        if waits.own:
            raise GranaryError(not_published(f"build {waits.build} is over without {_told(missing)}"))
        claims = self.claims.get([one.key for one in missing])
        running = self.builds.running(one.build for one in claims.values() if one.build)
        match decide(missing, claims, by=asked.execution, running=running, now=now):
            case Wait(build=build, own=own):
                return replace(waits, build=build, own=own)
            case Take() as take:
                images = any(one.image for one in missing)
                return self._publish(asked, take, claims, waits, now, images=images)

    def _publish(
        self, asked: Asked, take: Take, was: Mapping[str, Claim], waits: Waits, now: datetime, *, images: bool
    ) -> Waits:
        claim = Claim(by=asked.execution, since=take.since or stamp(now))
        if not take.since and not self.claims.take(take.keys, claim, was):
            return replace(waits, build="", own=False)  # somebody else has begun
        order = Order(
            location=asked.location,
            stack=asked.pipeline,
            cli_version=asked.cli_version,
            images=images,
        )
        try:
            # CodeBuild refuses a token that had other parameters.
            build = self.builds.start(order, token=start_token(claim.by, claim.since, *["docker"] * images))
        except ClientError as error:
            if not may_pass(error):  # nobody needs to wait for us
                self.claims.give_back(take.keys, by=claim.by)
            raise
        logger.info("build %s publishes %d assets", build, len(take.keys))
        self.claims.note(take.keys, claim, build)
        return replace(waits, build=build, own=True)


def _told(assets: Sequence[Asset]) -> str:
    more = f" and {len(assets) - _TOLD} more" if len(assets) > _TOLD else ""
    return ", ".join(f"{one.holder}/{one.name} ({one.region})" for one in assets[:_TOLD]) + more
