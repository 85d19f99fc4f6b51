"""Where builds run, and where they get packages from: the same for every project of an app or a stage."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from constructs_lib.common.grants import allow, grant

_SERVICE = "codebuild.amazonaws.com"
# None of them has a resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
_LOOKS = tuple(
    f"ec2:Describe{one}" for one in ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
)
_REASON = (
    "A build's network interface is made and removed for it alone: the subnets bound where, and for which service."
)


@dataclass(frozen=True, kw_only=True)
class BuildPlace:
    """A network of the toolchain's account, none without a `vpc`, and variables of every build.

    `secrets` are variables as well: each has the value of the secret, by its name or ARN, which CodeBuild reads.
    """

    vpc: str = ""
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def statements(self) -> list[iam.PolicyStatement]:
        """What the role of a build needs besides."""
        return [*(self._network() if self.vpc else ()), *(one for it in self._secrets() for one in it)]

    def _network(self) -> list[iam.PolicyStatement]:
        """As CodeBuild asks for it, but within these subnets alone.

        A shared subnet belongs to another account: its id says which it is.
        https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html
        """
        ec2 = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}"
        interfaces = f"{ec2}:{Aws.ACCOUNT_ID}:network-interface/*"
        subnets = [f"{ec2}:*:subnet/{one}" for one in self.subnets]
        groups = [f"{ec2}:*:security-group/{one}" for one in self.security_groups]
        within = {"ArnLike": {"ec2:Subnet": subnets}}
        permit, remove = (
            allow([f"ec2:{one}"], interfaces) for one in ("CreateNetworkInterfacePermission", "DeleteNetworkInterface")
        )
        permit.add_conditions(within | {"StringEquals": {"ec2:AuthorizedService": _SERVICE}})
        remove.add_conditions(within)
        create = allow(["ec2:CreateNetworkInterface"], interfaces, *subnets, *groups)
        return [allow(_LOOKS, "*"), create, permit, remove]

    def _secrets(self) -> Iterator[list[iam.PolicyStatement]]:
        here = f"arn:{Aws.PARTITION}:secretsmanager:{Aws.REGION}:{Aws.ACCOUNT_ID}:secret"
        for secret in dict.fromkeys(self.secrets.values()):
            # Secrets Manager ends an ARN with six characters of its own.
            arn = secret if secret.startswith("arn:") else f"{here}:{secret}-??????"
            key = allow(
                ["kms:Decrypt"], ":".join((*arn.replace(":secretsmanager:", ":kms:", 1).split(":")[:-2], "key/*"))
            )
            key.add_conditions({"ArnLike": {"kms:EncryptionContext:SecretARN": arn}})
            yield [allow(["secretsmanager:GetSecretValue"], arn), key]


def place_builds(scope: IConstruct, place: BuildPlace) -> None:
    """Give every project of an app or a stage the place, and the roles of builds what that needs.

    Nobody who adds a project has to think of it. What is in a stage below is placed by whoever makes that.
    """
    nodes = [one for one in scope.node.find_all() if isinstance(one, (codebuild.CfnProject, iam.Role))]
    nodes = [one for one in nodes if cdk.Stage.of(one).node.path == scope.node.path]  # type: ignore[union-attr]
    roles = [one for one in nodes if isinstance(one, iam.Role) and _builds(one)]
    for role in roles:
        grant(role, *place.statements(), reason=_REASON)
    for project in (one for one in nodes if isinstance(one, codebuild.CfnProject)):
        if place.vpc:
            project.vpc_config = codebuild.CfnProject.VpcConfigProperty(
                vpc_id=place.vpc, subnets=list(place.subnets), security_group_ids=list(place.security_groups)
            )
        add_variables(project, place.variables)
        add_variables(project, place.secrets, kind="SECRETS_MANAGER")
        stack = cdk.Stack.of(project)
        # CodeBuild refuses a network that the role cannot look at when the project is made or changed.
        for role in (one for one in roles if cdk.Stack.of(one) is stack):
            if stack.resolve(role.role_arn) == stack.resolve(project.service_role):
                project.node.add_dependency(role)


def _builds(role: iam.Role) -> bool:
    """Whether builds run as a role that is made here; of one that is known by name only there is no resource."""
    made = isinstance(role.node.default_child, iam.CfnRole)
    return made and _SERVICE in str(cdk.Stack.of(role).resolve(role.assume_role_policy))


def add_variables(project: codebuild.CfnProject, variables: Mapping[str, str], *, kind: str = "PLAINTEXT") -> None:
    """Add variables to those of a project."""
    known = project.environment
    assert isinstance(known, codebuild.CfnProject.EnvironmentProperty)  # noqa: S101 - what an L2 Project always has
    added = [
        codebuild.CfnProject.EnvironmentVariableProperty(name=name, type=kind, value=value)
        for name, value in variables.items()
    ]
    names = [name for name in inspect.signature(type(known).__init__).parameters if name != "self"]
    kept = {name: getattr(known, name) for name in names}
    kept["environment_variables"] = [*(kept["environment_variables"] or ()), *added]
    project.environment = codebuild.CfnProject.EnvironmentProperty(**kept)
