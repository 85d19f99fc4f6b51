"""What a landing zone gives and demands: where builds run and get packages from, what places offer to components."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from config.models.types import Model, each_once


def _without_credentials(url: str) -> str:
    if "@" in url.split("/")[2]:
        raise ValueError("has a user in it, and everybody can read this file: put that into a secret, and name it")
    return url


# A variable of every build: what of a row goes into another (`parameter_rules.TOGETHER`) leaves about 1,300 characters.
Url = Annotated[
    str, Field(pattern=r"^https://[^\s/?#]+(/[^\s?#]*)?$", max_length=300), AfterValidator(_without_credentials)
]
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
Secret = Annotated[
    str,
    Field(
        pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}$",
        description="Name of a secret of the toolchain's account and Region, or the whole ARN of another one.",
    ),
]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]

# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
SsmName = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.-]+)+$", max_length=1011)]


class PythonIndex(Model):
    """The package index that pip installs from instead of PyPI."""

    url: Url | None = Field(None, description="Its address, which ends with /simple or the like.")
    secret: Secret | None = Field(None, description="A secret that holds the address with user and password in it.")

    @model_validator(mode="after")
    def _one_of_them(self) -> PythonIndex:
        if bool(self.url) == bool(self.secret):
            raise ValueError("give either url, or secret: pip takes the password in the address")
        return self


class NpmRegistry(Model):
    """The registry that npm installs from instead of its own."""

    url: Url = Field(description="Its address.")
    secret: Secret | None = Field(None, description="A secret that holds the token that npm shows there.")


class Builds(Model):
    """What every build has, of the factory and of tenants' and rooms' pipelines."""

    vpc: str | None = Field(None, pattern=r"^vpc-[0-9a-f]{8,17}$", description="A VPC of the toolchain's Region.")
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_VpcConfig.html
    subnets: Annotated[tuple[SubnetId, ...], AfterValidator(each_once)] = Field(
        (), max_length=16, description="Private subnets of it, with a way to AWS and to the indexes."
    )
    security_groups: Annotated[tuple[SecurityGroupId, ...], AfterValidator(each_once)] = Field(
        (), max_length=5, description="Security groups of it."
    )
    python_index: PythonIndex | None = None
    npm_registry: NpmRegistry | None = None

    @model_validator(mode="after")
    def _all_of_a_network(self) -> Builds:
        given = (self.vpc, self.subnets, self.security_groups)
        if any(given) and not all(given):
            raise ValueError("give vpc, subnets and security_groups, or none of them")
        return self

    def variables(self) -> dict[str, str]:
        """What pip and npm read from the environment."""
        python, npm = self.python_index, self.npm_registry
        return ({"PIP_INDEX_URL": python.url} if python and python.url else {}) | (
            {"npm_config_registry": npm.url} if npm else {}
        )

    def secrets(self) -> dict[str, str]:
        """The same of what is secret: the variable's value is that of the secret."""
        python, npm = self.python_index, self.npm_registry
        # npm keeps a token for an address. It would not show a password of the address when it fetches the packages.
        token = f"npm_config_{npm.url.removeprefix('https:').rstrip('/')}/:_authToken" if npm else ""
        return ({"PIP_INDEX_URL": python.secret} if python and python.secret else {}) | (
            {token: npm.secret} if npm and npm.secret else {}
        )


class LandingPlace(Model):
    """Names of the SSM parameters by which each account and Region says what it offers to components."""

    vpc: SsmName | None = Field(None, description="Holds the id of a VPC.")
    subnets: SsmName | None = Field(None, description="Holds ids of subnets: a StringList.")
    zone: SsmName | None = Field(None, description="Holds the id of a hosted zone of Route 53.")
    certificate: SsmName | None = Field(None, description="Holds the ARN of a certificate.")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(sorted(set(self.model_dump(exclude_none=True).values())))
