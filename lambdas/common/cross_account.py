"""Acting in other accounts: sessions of roles there, each narrowed to what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import ROLE_REFUSED, code_of, ignoring
from lambdas.common.clients import client_as
from lambdas.common.errors import GranaryError
from lambdas.common.names import BOOTSTRAP_TEMPLATE, WORKLOAD_EXECUTION_POLICY, bootstrap_role
from lambdas.common.partitions import partition_of

# Version 6 is what stacks of the default synthesizer ask for.
# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
MINIMUM_BOOTSTRAP_VERSION = 6

_READ_PARAMETER = "ssm:GetParameter"


def assume(
    sts: Any,
    role: str,
    *,
    session_name: str,
    allow: Sequence[str],
    resources: Sequence[str],
    advice: str,
    besides: Sequence[Mapping[str, Any]] = (),
) -> Mapping[str, str]:
    """Credentials of a role (ARN) that may do no more than `allow` (IAM actions) on `resources` (ARNs).

    `besides` are further statements of a policy. All of it has at most 2,048 characters:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

    Raises:
        GranaryError: the role cannot be assumed; the text is `advice`.
    """
    statement = {"Effect": "Allow", "Action": list(allow), "Resource": list(resources)}
    try:
        session = sts.assume_role(
            RoleArn=role,
            RoleSessionName=session_name,
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement, *besides]}),
        )
    except ClientError as error:
        if code_of(error) not in ROLE_REFUSED:
            raise
        raise GranaryError(advice) from error
    credentials: Mapping[str, str] = session["Credentials"]
    return credentials


@dataclass(frozen=True, kw_only=True)
class LookupRoles:
    """The lookup roles of the workload accounts' bootstrap stacks, which trust roles of this account.

    `sts` is an STS client, `make_client` makes a boto3 client from a service's name, `region` and `credentials`.
    """

    sts: Any
    qualifier: str
    session_name: str = "granary"
    make_client: Callable[..., Any] = client_as

    def role_arn(self, *, account: str, region: str) -> str:
        """ARN of the lookup role of an account and Region."""
        role = bootstrap_role("lookup", qualifier=self.qualifier, account=account, region=region)
        return f"arn:{partition_of(region)}:iam::{account}:role/{role}"

    def bootstrap_command(self, *, account: str, region: str) -> str:
        """Command that bootstraps an account and Region so that components can be deployed there.

        The template, which `granary bootstrap-template` writes, says who is trusted; CloudFormation may do what the
        policy of workload accounts says, and nothing more.
        """
        policy = f"arn:{partition_of(region)}:iam::{account}:policy/{WORKLOAD_EXECUTION_POLICY}"
        return (
            f"npx cdk bootstrap aws://{account}/{region} --template {BOOTSTRAP_TEMPLATE} --qualifier {self.qualifier} "
            f"--toolkit-stack-name CDKToolkit-{self.qualifier} --cloudformation-execution-policies {policy}"
        )

    def client(
        self,
        service: str,
        *,
        account: str,
        region: str,
        allow: Sequence[str],
        resources: Sequence[str] = ("*",),
    ) -> Any:
        """Make a client that may do no more there than `allow` (IAM actions) on `resources` (ARNs).

        Raises:
            GranaryError: the role cannot be assumed; the text has the command that bootstraps the target.
        """
        credentials = assume(
            self.sts,
            self.role_arn(account=account, region=region),
            session_name=self.session_name,
            allow=allow,
            resources=resources,
            advice=self._unreachable(account=account, region=region),
        )
        return self.make_client(service, region=region, credentials=credentials)

    def bootstrap_version(self, *, account: str, region: str) -> int | None:
        """Read the version of the bootstrap stack; None when there is none.

        Raises:
            GranaryError: the lookup role cannot be assumed.
        """
        name = f"/cdk-bootstrap/{self.qualifier}/version"
        parameter_arn = f"arn:{partition_of(region)}:ssm:{region}:{account}:parameter{name}"
        ssm = self.client("ssm", account=account, region=region, allow=[_READ_PARAMETER], resources=[parameter_arn])
        with ignoring("ParameterNotFound"):
            return int(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        return None

    def bootstrap_problem(self, *, account: str, region: str) -> str | None:
        """Tell why nothing can be deployed into an account and Region, and what to run; None when all is well."""
        try:
            version = self.bootstrap_version(account=account, region=region)
        except GranaryError as error:
            return str(error)
        if version is None:
            return self._unreachable(account=account, region=region)
        if version < MINIMUM_BOOTSTRAP_VERSION:
            return (
                f"account {account} is bootstrapped in {region} with version {version}, at least version "
                f"{MINIMUM_BOOTSTRAP_VERSION} is needed: {self.bootstrap_advice(account=account, region=region)}"
            )
        return None

    def role_exists(self, name: str, *, account: str, region: str) -> bool:
        """Whether an account has a role.

        Raises:
            GranaryError: the lookup role cannot be assumed.
        """
        arn = f"arn:{partition_of(region)}:iam::{account}:role/{name}"
        iam = self.client("iam", account=account, region=region, allow=["iam:GetRole"], resources=[arn])
        with ignoring("NoSuchEntity"):
            iam.get_role(RoleName=name)
            return True
        return False

    def bootstrap_advice(self, *, account: str, region: str) -> str:
        """What to do when an account and Region is not bootstrapped as it should be."""
        return (
            f"run `granary bootstrap-template > {BOOTSTRAP_TEMPLATE}` and, with credentials of that account, "
            f"`{self.bootstrap_command(account=account, region=region)}` (its policy is what "
            "`granary execution-policy` writes, once in the account)"
        )

    def _unreachable(self, *, account: str, region: str) -> str:
        advice = self.bootstrap_advice(account=account, region=region)
        return (
            f"account {account} is not bootstrapped in {region} with qualifier {self.qualifier}, or does not trust "
            f"this factory's roles: {advice}"
        )
