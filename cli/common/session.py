"""What a command works with: the configuration, the names made of it, and clients of the toolchain's account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import NoCredentialsError

from cli.common.errors import RefusedError
from config.loader import CONFIG_DIR, load
from config.models import Configuration
from lambdas.common import clients, proven_names
from lambdas.common.names import Names
from lambdas.common.partitions import partition_of


@dataclass(kw_only=True)
class Session:
    """A factory, as the configuration names it; nothing is called before the first client is asked for."""

    directory: Path = CONFIG_DIR
    profile: str = ""
    # The Region whose STS says who calls; the toolchain's when it is empty.
    near: str = ""

    @cached_property
    def configuration(self) -> Configuration:
        return load(self.directory)

    @property
    def account(self) -> str:
        return self.configuration.toolchain.account

    @property
    def region(self) -> str:
        return self.configuration.toolchain.region

    @property
    def names(self) -> Names:
        return Names(prefix=self.configuration.toolchain.prefix)

    def client(self, service: str, region: str = "") -> Any:
        """A client of the toolchain's account, in its Region or another.

        Raises:
            RefusedError: the credentials are those of another account.
        """
        self.caller  # noqa: B018 - asks once
        with _settings_of_the_shell():
            return clients.client(service, region or self.region)

    def client_in(self, account: str, service: str, region: str, *, what: str) -> Any:
        """A client of another account, which `what` is in.

        Raises:
            RefusedError: the credentials are not those of that account.
        """
        self._caller_of(account, what)
        with _settings_of_the_shell():
            return clients.client(service, region)

    def machine_arn(self, name: str) -> str:
        """ARN of one of the factory's state machines."""
        return f"arn:{partition_of(self.region)}:states:{self.region}:{self.account}:stateMachine:{name}"

    @cached_property
    def caller(self) -> str:
        """Who calls, as a name in sentences; asking for it checks that the credentials are of the right account."""
        return self._caller_of(self.account, "the toolchain (config/toolchain.yaml)").rsplit(":", 1)[-1]

    @cached_property
    def identity(self) -> Any:
        """Whose credentials these are, as STS answers."""
        if self.profile:
            boto3.setup_default_session(profile_name=self.profile)
        with _settings_of_the_shell():
            return clients.client("sts", self.near or self.region).get_caller_identity()

    def proof(self, said: Mapping[str, Any]) -> dict[str, str]:
        """What proves to the factory that the caller says this.

        Raises:
            NoCredentialsError: there are none.
        """
        self.caller  # noqa: B018 - asks once, and chooses the profile
        credentials = (boto3.DEFAULT_SESSION or boto3.Session()).get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return proven_names.proof(said, region=self.region, credentials=credentials)

    def _caller_of(self, account: str, what: str) -> str:
        found = self.identity
        if found["Account"] != account:
            raise RefusedError(
                f"the credentials are those of account {found['Account']}, and {what} is in account {account}: choose "
                "a profile of that account with --profile"
            )
        return str(found["Arn"])


@contextmanager
def _settings_of_the_shell() -> Iterator[None]:
    """What boto3 trips over before it calls anything comes from the environment.

    Raises:
        RefusedError: it did.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise RefusedError(
            f"boto3 refuses the AWS settings of this shell ({error}): check AWS_ENDPOINT_URL and the like"
        ) from error
