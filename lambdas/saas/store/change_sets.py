"""What the deployment of a stack would change, asked of CloudFormation by a change set that is never executed.

It is made as the pipeline will make its own: the same template, tags, capabilities, and role that CloudFormation acts
with. The role that asks can execute none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from lambdas.common.aws_errors import ignoring
from lambdas.common.clients import client_as
from lambdas.common.cloud_assembly import AssembledStack
from lambdas.common.cross_account import assume
from lambdas.common.errors import GranaryError
from lambdas.common.names import WORKLOAD_ROLE_PATH, bootstrap_role
from lambdas.common.partitions import partition_of
from lambdas.saas.model.adoption import StackChanges, why_never
from lambdas.saas.model.names import ADOPTION_CHANGE_SET, ADOPTION_FOLDER, SaasNames

logger = logging.getLogger(__name__)

ACTIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:GetStackPolicy",
)
_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_GONE = ("ChangeSetNotFound", "ChangeSetNotFoundException")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html names no code for it.
_EMPTY = ("didn't contain changes", "No updates are to be performed")
_PATIENCE = {"Delay": 2, "MaxAttempts": 150}


@dataclass(frozen=True, kw_only=True)
class ChangeSets:
    """Change sets in workload accounts, made with the role that its administrator has made for that.

    `make_client` makes a boto3 client from a service's name, `region` and `credentials`.
    """

    sts: Any
    names: SaasNames
    qualifier: str
    roles_advice: Callable[[str], str]
    session_name: str
    make_client: Callable[..., Any] = client_as

    def changes(self, stack: AssembledStack, standing: Mapping[str, Any]) -> StackChanges:
        """What deploying a stack would change of the one that stands (as DescribeStacks has it).

        Raises:
            GranaryError: it cannot be taken over, or CloudFormation makes no change set; the text says why.
        """
        where = f"stack {stack.name} in account {stack.account} in {stack.region}"
        make = self._clients(stack)
        cloudformation = make("cloudformation")
        try:
            policy = cloudformation.get_stack_policy(StackName=stack.name).get("StackPolicyBody", "")
            if reason := why_never(standing, has_policy=bool(policy)):
                raise GranaryError(f"{where} {reason}")
            with self._uploaded(make("s3"), stack) as url:
                changes = self._asked(cloudformation, standing["StackId"], stack, url)
        except ClientError as error:
            raise GranaryError(f"what would change of {where} cannot be told: {error}") from error
        return StackChanges(
            name=stack.name,
            stack_id=standing["StackId"],
            account=stack.account,
            region=stack.region,
            touched=str(standing.get("LastUpdatedTime", standing.get("CreationTime", ""))),
            content=stack.content(),
            changes=changes,
        )

    def _asked(self, cloudformation: Any, stack_id: str, stack: AssembledStack, url: str) -> list[Mapping[str, Any]]:
        named = {"StackName": stack.name, "ChangeSetName": ADOPTION_CHANGE_SET}
        _delete(cloudformation, named)
        made = cloudformation.create_change_set(
            **named,
            ChangeSetType="UPDATE",
            TemplateURL=url,
            Capabilities=_CAPABILITIES,
            RoleARN=self._execution_role(stack),
            Tags=[{"Key": key, "Value": value} for key, value in sorted(stack.tags.items())],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
        )
        try:
            if made["StackId"] != stack_id:
                raise GranaryError(f"stack {stack.name} was deleted and made anew meanwhile: try again")
            if _is_empty(cloudformation, named):
                return []
            pages = cloudformation.get_paginator("describe_change_set").paginate(**named)
            return [change for page in pages for change in page.get("Changes", ())]
        finally:
            _delete(cloudformation, named)

    @contextmanager
    def _uploaded(self, s3: Any, stack: AssembledStack) -> Iterator[str]:
        """The address of the template in the place's own bucket: a call takes 51,200 bytes, a bucket 1 MB."""
        place = {"Bucket": self._bucket(stack), "Key": _key(stack)}
        s3.put_object(**place, Body=stack.template.read_bytes(), ExpectedBucketOwner=stack.account)
        try:
            yield f"{s3.meta.endpoint_url}/{place['Bucket']}/{place['Key']}"
        finally:
            s3.delete_object(**place, ExpectedBucketOwner=stack.account)

    def _clients(self, stack: AssembledStack) -> Callable[[str], Any]:
        """Clients that may do what is needed for this stack."""
        partition, region, account = partition_of(stack.region), stack.region, stack.account
        here = f"{region}:{account}"
        resources = [
            f"arn:{partition}:cloudformation:{here}:stack/{stack.name}/*",
            self._execution_role(stack),
            f"arn:{partition}:s3:::{self._bucket(stack)}/{_key(stack)}",
            f"arn:{partition}:ssm:{here}:parameter/cdk-bootstrap/{self.qualifier}/version",
            f"arn:{partition}:kms:{here}:key/*",
        ]
        objects = [f"s3:{action}Object" for action in ("Delete", "Get", "Put")]
        others = ["iam:PassRole", "ssm:GetParameters", "kms:Decrypt", "kms:GenerateDataKey"]
        role = f"arn:{partition}:iam::{account}:role{WORKLOAD_ROLE_PATH}{self.names.adoption_role}"
        credentials = assume(
            self.sts,
            role,
            session_name=self.session_name,
            allow=[*ACTIONS, *objects, *others],
            resources=resources,
            advice=f"{role}, which looks at what is to be taken over, cannot be assumed: {self.roles_advice(account)}",
        )
        return lambda service: self.make_client(service, region=region, credentials=credentials)

    def _execution_role(self, stack: AssembledStack) -> str:
        role = bootstrap_role("cfn-exec", qualifier=self.qualifier, account=stack.account, region=stack.region)
        return f"arn:{partition_of(stack.region)}:iam::{stack.account}:role/{role}"

    def _bucket(self, stack: AssembledStack) -> str:
        return f"cdk-{self.qualifier}-assets-{stack.account}-{stack.region}"


def _key(stack: AssembledStack) -> str:
    return f"{ADOPTION_FOLDER}{stack.name}.json"


def _is_empty(cloudformation: Any, named: Mapping[str, str]) -> bool:
    """Wait for a change set; raises GranaryError for one that cannot be made."""
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**named, WaiterConfig=_PATIENCE)
    except WaiterError as error:
        why = error.last_response.get("StatusReason", "") if isinstance(error.last_response, Mapping) else ""
        if any(text in why for text in _EMPTY):
            return True
        raise GranaryError(f"CloudFormation makes no change set: {why or error}") from error
    return False


def _delete(cloudformation: Any, named: Mapping[str, str]) -> None:
    with ignoring(*_GONE):
        cloudformation.delete_change_set(**named)
