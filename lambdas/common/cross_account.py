"""Reading in other accounts, through the lookup role that CDK bootstrap leaves in each account and Region."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import ROLE_REFUSED, code_of, ignoring
from lambdas.common.clients import client_as
from lambdas.common.errors import GranaryError
from lambdas.common.partitions import partition_of

DEFAULT_QUALIFIER = "hnb659fds"
# Version 6 is what stacks of the default synthesizer ask for.
# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
MINIMUM_BOOTSTRAP_VERSION = 6
# The name under which the README publishes config/policies/workload-execution.json in each workload account.
WORKLOAD_EXECUTION_POLICY = "granary-workload-execution"

_READ_PARAMETER = "ssm:GetParameter"


@dataclass(frozen=True, kw_only=True)
class LookupRoles:
    """The bootstrap lookup roles that trust this account.

    `sts` is an STS client of the trusted account, `trusted_account` its id, `make_client` makes a boto3 client
    from a service's name, `region` and `credentials`.
    """

    sts: Any
    trusted_account: str
    qualifier: str = DEFAULT_QUALIFIER
    session_name: str = "granary"
    make_client: Callable[..., Any] = client_as

    def role_arn(self, *, account: str, region: str) -> str:
        """ARN of the lookup role of an account and Region."""
        role = f"cdk-{self.qualifier}-lookup-role-{account}-{region}"
        return f"arn:{partition_of(region)}:iam::{account}:role/{role}"

    def bootstrap_command(self, *, account: str, region: str) -> str:
        """Command that bootstraps an account and Region so that this factory can deploy there.

        The toolchain's own account holds the factory itself, whose stacks make keys, roles and buckets; in any other
        account CloudFormation may do what the policy of workload accounts says, and nothing more.
        """
        words = ["npx", "cdk", "bootstrap", f"aws://{account}/{region}"]
        own = account == self.trusted_account
        if not own:
            words += ["--trust", self.trusted_account]
        policy = "aws:policy/AdministratorAccess" if own else f"{account}:policy/{WORKLOAD_EXECUTION_POLICY}"
        words += ["--cloudformation-execution-policies", f"arn:{partition_of(region)}:iam::{policy}"]
        if self.qualifier != DEFAULT_QUALIFIER:
            words += ["--qualifier", self.qualifier, "--toolkit-stack-name", f"CDKToolkit-{self.qualifier}"]
        return " ".join(words)

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
        statement = {"Effect": "Allow", "Action": list(allow), "Resource": list(resources)}
        try:
            session = self.sts.assume_role(
                RoleArn=self.role_arn(account=account, region=region),
                RoleSessionName=self.session_name,
                Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            )
        except ClientError as error:
            if code_of(error) not in ROLE_REFUSED:
                raise
            raise GranaryError(self._unreachable(account=account, region=region)) from error
        return self.make_client(service, region=region, credentials=session["Credentials"])

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
                f"{MINIMUM_BOOTSTRAP_VERSION} is needed: {self._advice(account=account, region=region)}"
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

    def _advice(self, *, account: str, region: str) -> str:
        advice = f"run `{self.bootstrap_command(account=account, region=region)}`"
        if account == self.trusted_account:
            return advice
        return f"{advice} (its policy is made from config/policies/workload-execution.json, once in the account)"

    def _unreachable(self, *, account: str, region: str) -> str:
        trusting = "" if account == self.trusted_account else f", or does not trust account {self.trusted_account}"
        advice = self._advice(account=account, region=region)
        return f"account {account} is not bootstrapped in {region}{trusting}: {advice}"
