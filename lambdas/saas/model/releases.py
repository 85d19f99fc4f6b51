"""A release: the source that CI/CD has checked, pinned so that nothing else is ever deployed; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.common.clock import Stamp
from lambdas.common.evidence.bundle import Bundle, Origin, Source
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.revisions import DIGEST_METADATA, GATES_METADATA
from lambdas.common.versioned_json import Text

# CodePipeline shows this object metadata as the revision's summary, and `GetPipelineExecution` returns it:
# https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
REVISION_METADATA = "codepipeline-artifact-revision-summary"
PUBLISHED_METADATA = "granary-published-at"
_CONTRACT_METADATA = "granary-contract"
_TENANTS_METADATA = "granary-tenants"

REVISION = re.compile(r"[A-Za-z0-9._-]{1,64}")


def revision_of_sources(sources: Iterable[Mapping[str, Any]]) -> str:
    """Revision that an execution of a tenant's pipeline has for its source, as CodePipeline lists it; empty: of none.

    Of an S3 object, the summary is what its metadata `REVISION_METADATA` says; without that, a sentence.
    """
    return next(filter(REVISION.fullmatch, (source.get("revisionSummary", "") for source in sources)), "")


def tenant_key(deployment_type: str, deployment_id: str) -> str:
    """Object key of the source that a tenant's pipeline reads: its own copy of a release.

    Only provisioning and release move it. So an execution that self-mutation restarts meets the same release again,
    and the pipeline's structure stays as it is from release to release, without which CodePipeline refuses to roll a
    stage back:
    https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-stage-rollback.html
    """
    return f"tenants/{deployment_type}-{deployment_id}/source.zip"


def contract_of(metadata: Mapping[str, str]) -> int:
    """The contract that the metadata of a release's object, or of a tenant's copy, tell; older ones tell none."""
    return int(metadata.get(_CONTRACT_METADATA, "0"))


def tenants_of(metadata: Mapping[str, str]) -> str:
    """The digest of what tenants get that the metadata of a release's object tell; empty when they tell none."""
    return metadata.get(_TENANTS_METADATA, "")


@dataclass(frozen=True, kw_only=True)
class Release(Text):
    """What is deployed: `revision` names it, `key` and `version_id` pin the object, `sha256` its bytes (hex).

    `contract` is what its source speaks with the functions: see `contract`. `gates` name those whose verdicts it needs.
    `tenants` is the digest of what tenants get of it: two releases with the same give everybody the same; empty where
    nobody can tell.
    """

    revision: str
    key: str
    version_id: str
    sha256: str
    published_at: Stamp
    contract: int = 0
    gates: tuple[str, ...] = ()
    tenants: str = ""

    @property
    def metadata(self) -> dict[str, str]:
        """What the metadata of its object say of it; objects that were published earlier say less."""
        return {
            REVISION_METADATA: self.revision,
            DIGEST_METADATA: self.sha256,
            PUBLISHED_METADATA: self.published_at,
            _CONTRACT_METADATA: str(self.contract),
            **({GATES_METADATA: ",".join(self.gates)} if self.gates else {}),
            **({_TENANTS_METADATA: self.tenants} if self.tenants else {}),
        }

    def gives_the_same(self, other: Release) -> bool:
        """Whether tenants get nothing else of another release; not when nobody can tell."""
        return self.revision == other.revision or bool(self.tenants and self.tenants == other.tenants)

    def bundle(self, bucket: str) -> Bundle:
        """The release as a bundle; `bucket` is that of the releases."""
        source = Source(bucket=bucket, key=self.key, version_id=self.version_id)
        return Bundle(
            subject=(Subject(name=self.key, digest=Digest(sha256=self.sha256)),),
            predicate=Origin(revision=self.revision, source=source, published_at=self.published_at),
        )


@dataclass(frozen=True, kw_only=True)
class Published:
    """An object version as the releases bucket has it: the digest of its bytes, its metadata, when it was written."""

    version_id: str
    sha256: str
    metadata: Mapping[str, str]
    modified: datetime
