"""Physical names of what every room shares, as pure functions of the prefix and the place; pure.

The names are a contract between the stacks (whose policies name them) and what bears them, so they are derived in one
place: here, and for a room in its own `model/names.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html (pipeline)
PIPELINE_NAME_LIMIT = 100
STACK_NAME_LIMIT = 128
PROJECT_NAME_LIMIT = 150
ROLE_NAME_LIMIT = 64
BUCKET_NAME_LIMIT = 63


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of the factory's shared resources; a room's own names are a subclass of this."""

    prefix: str

    @property
    def toolchain_stack(self) -> str:
        return f"{self.prefix}-toolchain"

    @property
    def cicd_pipeline(self) -> str:
        return f"{self.prefix}-cicd"

    @property
    def event_bus(self) -> str:
        """Bus on which every room publishes."""
        return f"{self.prefix}-lifecycle"

    @property
    def dead_letter_queue(self) -> str:
        """Queue with what no function could handle."""
        return f"{self.prefix}-dead-letters"

    @property
    def artifacts_alias(self) -> str:
        return f"alias/{self.prefix}-artifacts"

    @property
    def artifacts_key_parameter(self) -> str:
        """SSM parameter, one in each Region used, with the ARN of that Region's artifact key."""
        return f"/{self.prefix}/artifacts/key-arn"

    def artifacts_stack(self, region: str) -> str:
        """Stack with the artifact bucket and key of a Region other than the toolchain's own."""
        return f"{self.prefix}-artifacts-{region}"

    def artifacts_bucket(self, account: str, region: str) -> str:
        return f"{self.prefix}-artifacts-{account}-{region}"

    def access_logs_bucket(self, account: str, region: str) -> str:
        return f"{self.prefix}-access-logs-{account}-{region}"

    def source_bucket(self, account: str, region: str) -> str:
        """Bucket that the S3 source provider reads the committed source from."""
        return f"{self.prefix}-source-{account}-{region}"

    def function(self, job: str) -> str:
        return f"{self.prefix}-{job}"
