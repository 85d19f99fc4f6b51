"""Looks whether places have assets, as who would publish them there, and may not do anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import NO_OBJECT, code_of, passes
from lambdas.common.clients import client_as
from lambdas.common.cross_account import assume
from lambdas.common.errors import GranaryError
from lambdas.common.partitions import partition_of
from lambdas.saas.model.assets import Asset

# A build that finds no repository says so.
_NOWHERE = (*NO_OBJECT, "ImageNotFoundException", "NoSuchBucket", "RepositoryNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Bootstrap buckets and repositories of workload accounts.

    Their publishing roles trust the role `publisher` (an ARN) alone, and so it is that role which is assumed first.
    """

    sts: Any
    publisher: str
    session_name: str
    make_client: Callable[..., Any] = client_as

    def missing(self, assets: Iterable[Asset]) -> list[Asset]:
        """Those of the assets that are not where they should be.

        Raises:
            GranaryError: a role cannot be assumed, or does not tell.
        """
        found: list[Asset] = []
        for (role, _), there in groupby(sorted(assets, key=_whose), key=_whose):
            ours = list(there)
            client = self._client(role, ours)
            found += [one for one in ours if not _has(client, one)]
        return found

    def _client(self, role: str, assets: list[Asset]) -> Any:
        region, partition = assets[0].region, partition_of(assets[0].region)
        account, holders = assets[0].account, sorted({one.holder for one in assets})
        if assets[0].image:
            service, actions = "ecr", ["ecr:DescribeImages"]
            resources = [f"arn:{partition}:ecr:{region}:{account}:repository/{one}" for one in holders]
        else:
            # Without s3:ListBucket, S3 answers 403 for an object that is not there.
            service, actions = "s3", ["s3:GetObject", "s3:ListBucket"]
            resources = [f"arn:{partition}:s3:::{one}{below}" for one in holders for below in ("", "/*")]
        credentials = self._assume(
            self._publisher(role),
            role,
            allow=actions,
            resources=resources,
            advice=(
                f"{role} cannot be assumed to look for assets: account {account} is not bootstrapped in {region}, or "
                "does not trust this factory's roles; bootstrap it with what `granary bootstrap-template` writes"
            ),
        )
        return self.make_client(service, region=region, credentials=credentials)

    def _publisher(self, role: str) -> Any:
        advice = f"{self.publisher} cannot be assumed to look for assets: deploy the toolchain stack"
        resources = [role]
        credentials = self._assume(
            self.sts, self.publisher, allow=["sts:AssumeRole"], resources=resources, advice=advice
        )
        return self.make_client("sts", region=self.sts.meta.region_name, credentials=credentials)

    def _assume(self, sts: Any, role: str, **how: Any) -> Mapping[str, str]:
        return assume(sts, role, session_name=self.session_name, **how)


def _whose(asset: Asset) -> tuple[str, bool]:
    return asset.role, asset.image


def _has(client: Any, asset: Asset) -> bool:
    try:
        if asset.image:
            client.describe_images(repositoryName=asset.holder, imageIds=[{"imageTag": asset.name}])
        else:
            # A bucket that was deleted may be anybody's now.
            client.head_object(Bucket=asset.holder, Key=asset.name, ExpectedBucketOwner=asset.account)
    except ClientError as error:
        if code_of(error) in _NOWHERE:
            return False
        if passes(error):
            raise
        where = f"{asset.holder}/{asset.name} in account {asset.account} in {asset.region}"
        raise GranaryError(f"whether {where} is published cannot be told as {asset.role}: {error}") from error
    return True
