"""The coverage ledger: one row for each place of each template that has a policy, or may have one; pure.

Each branch of `Fn::If` and each resource behind a condition is read, whatever the condition is with the parameters
given: the next deployment can have others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from lambdas.gates.model.iam.documents import Document, listed, read
from lambdas.gates.model.iam.functions import Undecidable
from lambdas.gates.model.iam.grants import grants_of
from lambdas.gates.model.iam.places import MARK, is_policy, policies_in
from lambdas.gates.model.iam.syntax import as_documented, function_of, nodes_below
from lambdas.gates.model.iam.template import STACK, Template

_CONDITIONS = 5  # of one resource: each has two branches
ROLE, USER = "AWS::IAM::Role", "AWS::IAM::User"
_HOLDERS = {ROLE: ("Roles", "RoleName"), USER: ("Users", "UserName"), "AWS::IAM::Group": ("Groups", "GroupName")}

Holder = tuple[str, str]  # its type and its name


@dataclass(kw_only=True)
class Row:
    """A place, the documents that it can have, and the reasons why it cannot be told.

    `holders` are the roles, users and groups that get what it grants; `managed` is set for AWS's texts.
    """

    template: str
    path: str
    account: str
    resource: str
    kind: str
    place: str
    documents: list[Document] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    holders: set[Holder] = field(default_factory=set)
    managed: bool = False

    @property
    def grants(self) -> bool:
        """Whether it can give rights; the others only say which of those given elsewhere are left."""
        return self.kind not in ("AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy")

    def has(self, arn: str) -> bool:
        """Whether an ARN that only the deployment tells is of its resource."""
        return arn.startswith(f"${{@{self.template}#{self.resource}.")

    @property
    def why(self) -> str:
        """Why it cannot be decided, or nothing; a part of it that cannot be is enough."""
        return "; ".join(dict.fromkeys([*self.reasons, *(why for one in self.documents for why in one.unclear)]))


@dataclass(kw_only=True)
class Ledger:
    """All rows, and the policies as written that none of them has: there are none, or the check is worth nothing."""

    rows: list[Row] = field(default_factory=list)
    escaped: list[str] = field(default_factory=list)


def ledger_of(templates: list[Template]) -> Ledger:
    """The ledger of templates that are deployed."""
    ledger, attached = Ledger(), list[dict[str, set[Holder]]]()
    for template in templates:
        for name in listed(template.body.get("Transform")):
            if name != "AWS::LanguageExtensions":
                row = row_of(template, "", "", f"Transform {name}")
                row.reasons.append("a macro makes another template of it: check that one")
                ledger.rows.append(row)
        for name, body in template.body.get("Resources", {}).items():
            resource = _Resource(template, name, body)
            with as_documented(f"{template.path}: {name}"):
                resource.enter(ledger)
            attached.append(resource.attached)
    for row in ledger.rows:
        row.holders.update(*(names for one in attached for arn, names in one.items() if row.has(arn)))
    return ledger


def row_of(template: Template, resource: str, kind: str, place: str) -> Row:
    """A row in which nothing is entered yet."""
    account = template.where.account
    return Row(template=template.key, path=template.path, account=account, resource=resource, kind=kind, place=place)


class _Resource:
    """One resource, read in each way that its conditions admit."""

    def __init__(self, template: Template, name: str, body: Any) -> None:
        self.template, self.name = template, name
        self.body: Mapping[str, Any] = body if isinstance(body, dict) else {}
        self.kind = str(self.body.get("Type", ""))
        self.rows: dict[str, Row] = {}
        self.seen: set[int] = set()
        self.marks = 0
        self.attached: dict[str, set[Holder]] = {}

    def enter(self, ledger: Ledger) -> None:
        """Its rows, and what of it no row has."""
        if not self.kind or self.kind.endswith("::MODULE"):
            self.row("").reasons.append("it is a module, a macro's loop, or has no Type")
        if self.name not in self.template.nested:
            for key in ("TemplateURL", "TemplateBody"):
                if key in self.template.properties(self.name) or (self.kind == STACK and key == "TemplateURL"):
                    self.row(key).reasons.append("its template is not among those that are checked")
        for value in self.values():
            self.read(value)
        ledger.rows += self.rows.values()
        if not any(row.reasons for row in self.rows.values()):
            lost = self.marks - len(self.seen)
            ledger.escaped += [f"{self.template.path}: {self.name} has {lost} that no row has"] if lost else []

    def row(self, place: str) -> Row:
        """The row of a place."""
        return self.rows.setdefault(place, row_of(self.template, self.name, self.kind, place))

    def values(self) -> Iterator[Any]:
        """Its properties, once for each combination of its conditions."""
        marked = self.mark(self.body.get("Properties", {}))
        branches = [one["Fn::If"] for one in nodes_below(marked) if function_of(one) == "Fn::If"]
        named = sorted({str(one[0]) for one in branches if isinstance(one, list) and one})
        if len(named) > _CONDITIONS:
            self.row("").reasons.append(
                f"it has {len(named)} conditions, and {_CONDITIONS} are followed: make it simpler"
            )
            named = []
        for holds in product((True, False), repeat=len(named)):
            yield self.template.value(marked, dict(zip(named, holds, strict=True)))

    def mark(self, node: Any) -> Any:
        """A copy in which each policy, as it is written, has a number."""
        if isinstance(node, list):
            return [self.mark(one) for one in node]
        if not isinstance(node, dict):
            return node
        if is_policy(node) or any(function_of(one) for one in listed(node.get("Statement"))):
            self.marks += 1
            return {**node, MARK: self.marks}
        return {key: self.mark(one) for key, one in node.items()}

    def read(self, value: Any) -> None:
        """The rows of one way that it can be."""
        schema = self.template.catalogue.schema(self.kind)
        properties = value if isinstance(value, dict) else {}
        for place, document in policies_in(value, schema, self.seen):
            if isinstance(document, Undecidable):
                self.row(place).reasons.append(document.reason)
            else:
                self.take(self.row(place), document)
        holders = self.holders(properties)
        for place, told, managed in grants_of(self.kind, properties, schema or {}, self.template.catalogue):
            if isinstance(told, str):
                self.attached.setdefault(told, set()).update(holders)
            else:
                self.row(place).managed = managed
                self.take(self.row(place), told)
        for row in self.rows.values():
            row.holders |= holders

    def take(self, row: Row, told: Mapping[str, Any]) -> None:
        """A document of a row, once."""
        document = read(told)
        if document not in row.documents:
            row.documents.append(document)

    def holders(self, properties: Mapping[str, Any]) -> set[Holder]:
        """Those who get what it grants."""
        own = [(self.kind, self.template.reference(self.name))] if self.kind in _HOLDERS else []
        named = [(kind, one) for kind, keys in _HOLDERS.items() for key in keys for one in listed(properties.get(key))]
        return {(kind, name) for kind, name in [*own, *named] if isinstance(name, str)}
