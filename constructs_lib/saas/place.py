"""What a component takes from the account and Region where it stands: ids that the landing zone publishes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas.common.errors import GranaryError


@dataclass(frozen=True, kw_only=True)
class PublishedPlace:
    """Ids as references that CloudFormation resolves whenever it deploys the stack; nobody looks anything up before.

    `parameters` are names of SSM parameters by what they hold, as `place` in config/workloads.yaml has them. They are
    of the plain types `String` and `List<String>`: CloudFormation then needs to read nothing but the parameters.
    """

    parameters: Mapping[str, str | None] = field(default_factory=dict)

    def vpc(self, scope: Construct) -> str:
        """Id of the VPC."""
        return self._text(scope, "vpc")

    def subnets(self, scope: Construct) -> list[str]:
        """Ids of the subnets: one token that stands for all of them, to be handed on whole."""
        return ssm.StringListParameter.value_for_typed_list_parameter(scope, self._name("subnets"))

    def zone(self, scope: Construct) -> str:
        """Id of the hosted zone."""
        return self._text(scope, "zone")

    def certificate(self, scope: Construct) -> str:
        """ARN of the certificate."""
        return self._text(scope, "certificate")

    def has(self, what: str) -> bool:
        """Whether the landing zone publishes it."""
        return bool(self.parameters.get(what))

    def _text(self, scope: Construct, what: str) -> str:
        return ssm.StringParameter.value_for_string_parameter(scope, self._name(what))

    def _name(self, what: str) -> str:
        if not (name := self.parameters.get(what)):
            raise GranaryError(
                f"the component needs a {what} of the place where it stands, and nothing says where it is: give "
                f"place.{what} in config/workloads.yaml, the name of the parameter that the landing zone publishes"
            )
        return name
