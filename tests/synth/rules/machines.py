"""Rules for state machines: what their roles need to encrypt, and who may answer for their tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.synth.assembly import Resource, Template, as_list, flat
from tests.synth.rules.policies import Statement, statements

# https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
_LOGS = "kms:EncryptionContext:SourceArn"
_MACHINE = "kms:EncryptionContext:aws:states:stateMachineArn"
_ANSWERS = {"states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"}


def machines_use_their_key(template: Template) -> list[str]:
    """The role of an encrypted machine may use its key for the data, and for the log if there is one."""
    found = []
    for logical_id, resource in template.resources("AWS::StepFunctions::StateMachine"):
        properties = resource["Properties"]
        key = properties.get("EncryptionConfiguration", {}).get("KmsKeyId")
        if not key:
            continue
        data = log = False
        for use in _uses(template, resource, flat(key)):
            encrypts = "kms:GenerateDataKey" in use.actions
            data |= encrypts and "kms:Decrypt" in use.actions and _both_forms(_values(use, "StringLike", _MACHINE))
            log |= encrypts and any(value.endswith(":*") for value in _values(use, "StringEquals", _LOGS))
        if not data:
            found.append(f"{logical_id}: its role cannot use the key for the data of map runs' children")
        if not log and properties.get("LoggingConfiguration", {}).get("Level", "OFF") != "OFF":
            found.append(f"{logical_id}: its role cannot encrypt the log that it delivers")
    return found


def _uses(template: Template, machine: Resource, key: str) -> Iterator[Statement]:
    """What a machine's role may do with a key."""
    role = flat(machine["Properties"]["RoleArn"])
    policies: Mapping[str, Resource] = dict(template.resources("AWS::IAM::Policy"))
    for statement in statements(template):
        holders = policies.get(statement.owner, {}).get("Properties", {}).get("Roles", [])
        if statement.allows and key in statement.resources and role in [f"${{{one['Ref']}.Arn}}" for one in holders]:
            yield statement


def _values(statement: Statement, operator: str, key: str) -> list[str]:
    return [flat(value) for value in as_list(statement.body.get("Condition", {}).get(operator, {}).get(key, []))]


def answers_reach_children(template: Template) -> list[str]:
    """Who may answer for a machine's tasks may answer for those of its map runs' children, and the other way round."""
    return [
        f"{statement}: needs the machine and machine/*"
        for statement in statements(template)
        if statement.allows and _ANSWERS.intersection(statement.actions) and not _both_forms(statement.resources)
    ]


def _both_forms(arns: list[str]) -> bool:
    """Whether each machine's ARN stands beside that of its map runs."""
    machines = {arn for arn in arns if not arn.endswith("/*")}
    return bool(machines) and machines == {arn.removesuffix("/*") for arn in arns if arn.endswith("/*")}
