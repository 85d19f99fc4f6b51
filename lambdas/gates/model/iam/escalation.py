"""Which identities can make themselves administrators, alone or through the roles of their assembly; pure.

Conditions of an `Allow` are taken to hold, with the exception of `iam:PassedToService`; those of a `Deny` not to. A
boundary of permissions that is not known, or not there under each condition, is not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from lambdas.gates.model.iam.documents import Document, Statement, read
from lambdas.gates.model.iam.ledger import ROLE, USER, Holder, Ledger, Row, row_of
from lambdas.gates.model.iam.patterns import overlap
from lambdas.gates.model.iam.syntax import function_of, nodes_below
from lambdas.gates.model.iam.template import Template

# These change what somebody may do; then those that change a role's rights.
_CHANGES = (
    "iam:createpolicyversion",
    "iam:setdefaultpolicyversion",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:updateloginprofile",
    "iam:addusertogroup",
    "iam:attachuserpolicy",
    "iam:attachgrouppolicy",
    "iam:putuserpolicy",
    "iam:putgrouppolicy",
)
_OWN = ("iam:attachrolepolicy", "iam:putrolepolicy")
# What runs code of the caller's as a role that is passed to it.
_RUNS = {
    "lambda": "lambda:createfunction lambda:updatefunctionconfiguration",
    "ec2": "ec2:runinstances ec2:requestspotinstances ec2:associateiaminstanceprofile",
    "cloudformation": "cloudformation:createstack cloudformation:updatestack cloudformation:createchangeset",
    "codebuild": "codebuild:createproject codebuild:updateproject codebuild:startbuild",
    "codepipeline": "codepipeline:createpipeline codepipeline:updatepipeline",
    "glue": "glue:createdevendpoint glue:createjob glue:updatejob glue:createsession",
    "sagemaker": "sagemaker:createnotebookinstance sagemaker:createtrainingjob sagemaker:createprocessingjob",
    "ecs-tasks": "ecs:runtask ecs:starttask ecs:registertaskdefinition ecs:createservice",
    "states": "states:createstatemachine states:updatestatemachine",
    "ssm": "ssm:startautomationexecution",
    "scheduler": "scheduler:createschedule scheduler:updateschedule",
    "datapipeline": "datapipeline:createpipeline",
    "elasticmapreduce": "elasticmapreduce:runjobflow",
    "batch": "batch:registerjobdefinition",
    "apprunner": "apprunner:createservice",
    "bedrock-agentcore": "bedrock-agentcore:createcodeinterpreter bedrock-agentcore:createagentruntime",
}
# What makes a thing that is there run the caller's code, by the service in its type.
_TAKES = {
    "lambda": ("lambda:updatefunctioncode", "lambda:updatefunctionconfiguration"),
    "codebuild": ("codebuild:updateproject", "codebuild:startbuild", "codebuild:startbuildbatch"),
    "glue": ("glue:updatejob", "glue:updatedevendpoint"),
    "stepfunctions": ("states:updatestatemachine",),
    "codepipeline": ("codepipeline:updatepipeline",),
    "sagemaker": ("sagemaker:createpresignednotebookinstanceurl",),
    "ecs": ("ecs:executecommand",),
}


@dataclass(kw_only=True)
class Identity:
    """Somebody who has rights: a role, a user, a group, or whoever gets a policy that nobody has yet."""

    name: str
    row: Row
    arn: str = ""
    rights: Document = field(default_factory=Document)
    boundary: Document | None = None
    trust: Document = field(default_factory=Document)
    things: list[tuple[str, str]] = field(default_factory=list)  # service and ARN of what runs as it

    def may(self, action: str, resource: str = "*") -> bool:
        """Whether it can have the right to do that."""
        return any(self.granting(action, resource))

    def granting(self, action: str, resource: str = "*") -> Iterator[Statement]:
        """The statements that give it the right."""
        if self.boundary is None or any(_granting(self.boundary, action, resource)):
            yield from _granting(self.rights, action, resource)

    def may_do_all(self) -> bool:
        """Whether it may do all with all."""
        return _all_in(self.rights) and (self.boundary is None or _all_in(self.boundary))

    def way_up(self) -> str:
        """What makes it an administrator without help of others."""
        for action in _CHANGES:
            resources = (pattern for one in self.granting(action) for pattern in one.resources.patterns)
            if any("${aws:" not in one for one in resources):  # whose name is the caller's is himself
                return action
        for action in _OWN:
            if self.may(action, self.arn or "*"):
                return action
        for one in self.granting("iam:passrole"):
            names = {pattern.rpartition(":")[2] for pattern in one.resources.patterns}
            everywhere = one.resources.negated or names & {"*", "role/*"}
            if everywhere and (action := self._runs(one, list(_RUNS))):
                return f"iam:passrole of any role, and {action}"
        return ""

    def _runs(self, passing: Statement, services: list[str]) -> str:
        """How it runs code as a role that it passes to one of these services."""
        actions = (one for service in services if _passed_to(passing, service) for one in _RUNS[service].split())
        return next(filter(self.may, actions), "")

    def trusted(self) -> Iterator[tuple[str, str]]:
        """Those who may act as it, if it is a role."""
        yield from (one for statement in self.trust.statements if statement.allow for one in statement.principals)

    def moves(self) -> bool:
        """Whether it can become any role at all."""
        actions = ("sts:assumerole", "iam:updateassumerolepolicy", "iam:passrole", *chain(*_TAKES.values()))
        return any(map(self.may, actions))

    def becomes(self, other: Identity) -> str:
        """By what it can act as a role, or nothing."""
        if self.may("sts:assumerole", other.arn) and _trusts(other, self):
            return "sts:assumerole"
        if self.may("iam:updateassumerolepolicy", other.arn):
            return "iam:updateassumerolepolicy"
        for one in self.granting("iam:passrole", other.arn):
            if action := self._runs(one, [service for service in _RUNS if _trusts_service(other, service)]):
                return f"iam:passrole and {action}"
        for service, thing in other.things:
            for action in _TAKES.get(service, ()):
                if self.may(action, thing):
                    return action
        return ""


def _granting(rights: Document, action: str, resource: str) -> Iterator[Statement]:
    for one in rights.statements:
        granted = one.allow and one.actions.may_have(action) and one.resources.may_have(resource)
        if granted and not rights.denies(action, resource):
            yield one


def _all_in(rights: Document) -> bool:
    all_of = (one for one in rights.statements if one.allow and one.actions.has_all_of("*"))
    return any(one.resources.has_all_of("*") for one in all_of) and not rights.denies("iam:*")


def _passed_to(statement: Statement, service: str) -> bool:
    tests = [one for one in statement.conditions if one.key == "iam:passedtoservice" and "not" not in one.operator]
    return all(any(overlap(value, f"{service}.*") for value in one.values) for one in tests)


def _trusts(role: Identity, other: Identity) -> bool:
    names = {"*", role.row.account, other.arn}
    root = f"::{role.row.account}:root"
    return any(kind == "AWS" and (name in names or name.endswith(root)) for kind, name in role.trusted())


def _trusts_service(role: Identity, service: str) -> bool:
    return any(kind == "Service" and name.startswith(f"{service}.") for kind, name in role.trusted())


def identities(ledger: Ledger, templates: list[Template]) -> list[Identity]:
    """All that have rights by the documents of a ledger; names are of an account."""
    found: dict[tuple[str, Holder], Identity] = {}
    for template in templates:
        for name in [*template.of_type(ROLE), *template.of_type(USER)]:
            kind = str(template.resources[name]["Type"])
            one = Identity(name=name, row=row_of(template, name, kind, ""), boundary=_boundary(template, name, ledger))
            one.arn = str(template.attribute(name, "Arn")) if kind == ROLE else ""
            found[template.where.account, (kind, str(template.reference(name)))] = one
    for row in ledger.rows:
        for document in row.documents if row.grants else ():
            nobody = set() if document.of_resource else {("", f"whoever gets {row.resource}")}
            for holder in row.holders or nobody:
                one = found.setdefault((row.account, holder), Identity(name=holder[1], row=row))
                (one.trust if document.of_resource else one.rights).add(document)
    _add_things({one.arn: one for one in found.values() if one.arn}, templates)
    return list(found.values())


def _boundary(template: Template, name: str, ledger: Ledger) -> Document | None:
    """What bounds the rights of a role or a user under each condition, if that is known."""
    told = template.properties(name).get("PermissionsBoundary")
    arn = template.value(told)
    if not isinstance(arn, str) or function_of(told) == "Fn::If":
        return None
    known = template.catalogue.managed_policy(arn)
    documents = [read(known)] if known else [one for row in ledger.rows if row.has(arn) for one in row.documents]
    return documents[0] if len(documents) == 1 and not documents[0].unclear else None


def _add_things(roles: dict[str, Identity], templates: list[Template]) -> None:
    """What runs as these roles."""
    for template in templates:
        for name, body in template.resources.items():
            service = f"{body.get('Type')}::".lower().split("::")[1]
            for value in nodes_below(template.value(template.properties(name))) if service in _TAKES else ():
                if isinstance(value, str) and value in roles:
                    roles[value].things.append((service, str(template.attribute(name, "Arn"))))


def ways_up(everybody: list[Identity]) -> Iterator[tuple[Identity, str]]:
    """Those who can become administrators, and how."""
    up = [(one, how) for one in everybody if (how := "it may do all" if one.may_do_all() else one.way_up())]
    yield from (each for each in up if not each[0].may_do_all())
    told = {id(one): one.name for one, _ in up}
    movers = [one for one in everybody if one.moves() and id(one) not in told]
    todo = deque(one for one, _ in up if one.arn)
    while todo:
        role = todo.popleft()
        for one in movers:
            if id(one) not in told and (by := one.becomes(role)):
                told[id(one)] = f"{one.name} -> ({by}) {told[id(role)]}"
                yield one, told[id(one)]
                if one.arn:
                    todo.append(one)
