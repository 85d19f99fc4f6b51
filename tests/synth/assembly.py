"""Cloud assemblies read back: the templates of all stacks, those of nested stages included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.common.cloud_assembly import stacks_in
from tests.synth.configurations import Place

Resource = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A stack's template and where it is deployed; `given` are ARNs that it may hold literally."""

    stack: str
    account: str
    region: str
    place: Place
    body: Mapping[str, Any]
    path: Path | None = None
    given: tuple[str, ...] = ()

    def resources(self, *types: str) -> Iterator[tuple[str, Resource]]:
        """Logical ids and resources, of these types or of all."""
        for logical_id, resource in self.body.get("Resources", {}).items():
            if not types or resource["Type"] in types:
                yield logical_id, resource


def read_templates(directory: Path, *, place: Place, given: tuple[str, ...]) -> list[Template]:
    """Read the templates of an assembly."""
    return [
        Template(
            stack=one.name,
            account=one.account,
            region=one.region,
            place=place,
            body=one.body,
            path=Path(f"{one.template}"),
            given=given,
        )
        for one in stacks_in(directory)
    ]


def flat(value: Any) -> str:
    """An intrinsic as one line of text: `${Bucket.Arn}/*`."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref":
            return f"${{{argument}}}"
        if function == "Fn::GetAtt":
            return f"${{{'.'.join(argument)}}}"
        if function == "Fn::Join":
            return str(argument[0]).join(flat(part) for part in argument[1])
    return json.dumps(value, sort_keys=True)


def as_list(value: Any) -> list[Any]:
    """A policy element that may be one value or several."""
    return value if isinstance(value, list) else [value]
