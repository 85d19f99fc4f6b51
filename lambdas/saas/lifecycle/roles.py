"""The roles of other accounts that the lifecycle function acts with, each session narrowed to what it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.common.clients import client_as
from lambdas.common.cross_account import assume
from lambdas.common.names import bootstrap_role
from lambdas.common.partitions import partition_of
from lambdas.saas.model.component_stacks import stack_name
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.status import StackRef

_BOOTSTRAP = (
    "if the account is closed, nothing is to be done; if it or the Region has left config/workloads.yaml, "
    "put it under `leaving` there and release that; otherwise bootstrap it again as the README says"
)


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Roles that trust this function: the ones for deployments, and the ones for archives.

    The toolchain has roles of its own for the stacks with tenants' pipelines, which are in its account; for components
    there are the bootstrap roles.

    `make_client` makes a boto3 client from a service's name, `region` and `credentials`; `prefix` is the factory's.
    """

    sts: Any
    qualifier: str
    prefix: str
    make_client: Callable[..., Any] = client_as

    def cloudformation(self, ref: StackRef) -> Any:
        """Make a client that may look at and delete one stack.

        Raises:
            GranaryError: the role cannot be assumed.
        """
        partition, region = partition_of(ref.region), ref.region
        stack = f"arn:{partition}:cloudformation:{region}:{ref.account}:stack/{stack_name(ref)}/*"
        resources = [stack, *filter(None, [self.execution_role(ref)])]
        actions = [
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "iam:PassRole",
        ]
        role, advice = self._bootstrap_role(ref, "deploy"), _BOOTSTRAP
        if ref.kind != "component":
            names = SaasNames(prefix=self.prefix)
            role, advice = self._role(ref, names.tenant_deploy_role), f"deploy stack {names.toolchain_stack} again"
        return self._client("cloudformation", role=role, region=region, allow=(actions, resources), advice=advice)

    def execution_role(self, ref: StackRef) -> str | None:
        """ARN of the role that CloudFormation is to act with; None for the one that the stack was deployed with.

        That is never named for a support stack: the role of tenants' pipelines could not delete what is in it.
        """
        if ref.kind == "support":
            return None
        if ref.kind == "pipeline":
            return self._role(ref, SaasNames(prefix=self.prefix).tenant_execution_role)
        return self._bootstrap_role(ref, "cfn-exec")

    def _bootstrap_role(self, ref: StackRef, kind: str) -> str:
        name = bootstrap_role(kind, qualifier=self.qualifier, account=ref.account, region=ref.region)
        return self._role(ref, name)

    def _role(self, ref: StackRef, name: str) -> str:
        return f"arn:{partition_of(ref.region)}:iam::{ref.account}:role/{name}"

    def archiving(
        self,
        service: str,
        *,
        account: str,
        region: str,
        actions: Sequence[str],
        resources: Sequence[str],
        listing: Sequence[str] = (),
    ) -> Any:
        """Make a client that may do `actions` for archives in an account, on these of its `resources` alone.

        `listing` are actions that have no resource.

        Raises:
            GranaryError: the role cannot be assumed; the text has the stack that makes it.
        """
        names = SaasNames(prefix=self.prefix)
        role = f"arn:{partition_of(region)}:iam::{account}:role/{names.archive_role}"
        advice = f"{names.roles_advice(account)}; or set lifecycle.archive to none in config/toolchain.yaml"
        here = f"arn:{partition_of(region)}:{service}:{region}:{account}"
        besides = [{"Effect": "Allow", "Action": list(listing), "Resource": "*"}] if listing else []
        allow = actions, [f"{here}:{one}" for one in resources]
        return self._client(service, role=role, region=region, allow=allow, advice=advice, besides=besides)

    def _client(
        self,
        service: str,
        *,
        role: str,
        region: str,
        allow: tuple[Sequence[str], Sequence[str]],
        advice: str,
        besides: Sequence[Mapping[str, Any]] = (),
    ) -> Any:
        credentials = assume(
            self.sts,
            role,
            session_name=f"{self.prefix}-lifecycle",
            allow=allow[0],
            resources=allow[1],
            advice=f"role {role} cannot be assumed: {advice}",
            besides=besides,
        )
        return self.make_client(service, region=region, credentials=credentials)
