"""The templates of an assembly, each as often as it is deployed, with what they hand to each other; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.syntax import TemplateError, as_documented
from lambdas.gates.model.iam.template import STACK, Shared, Template, Where


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """Templates by the path of their file; `parameters` are those of the file, `places` where it is deployed to.

    A template that no stack of the assembly nests is deployed by itself.
    """

    templates: Mapping[str, Mapping[str, Any]]
    where: Where
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    places: Mapping[str, Where] = field(default_factory=dict)


def deployed(assembly: Assembly, catalogue: Catalogue) -> list[Template]:
    """All templates that are deployed, nested ones below those that nest them.

    Raises:
        TemplateError: one cannot be deployed.
    """
    shared = Shared()
    alone = {path: _root(assembly, path, catalogue, shared) for path in sorted(assembly.templates)}
    nested = {one.nested_path(name) for one in alone.values() for name in one.of_type(STACK)}
    all_of: list[Template] = []
    for path, one in alone.items():
        if path not in nested:
            all_of += [one, *_below(assembly, one, (path,))]
    if missing := sorted(set(alone) - {one.path for one in all_of}):
        raise TemplateError(f"{', '.join(missing)} nest each other: take one of the stacks out")
    for one in all_of:
        with as_documented(f"{one.path}: Outputs"):
            exported = [output for output in one.section("Outputs").values() if "Export" in output]
            shared.exports.update({one.value(each["Export"]["Name"]): (one, each["Value"]) for each in exported})
    return all_of


def _root(assembly: Assembly, path: str, catalogue: Catalogue, shared: Shared) -> Template:
    where, given = assembly.places.get(path, assembly.where), assembly.parameters.get(path, {})
    return Template(
        assembly.templates[path], path=path, where=where, catalogue=catalogue, given=given.get, shared=shared
    )


def _below(assembly: Assembly, above: Template, paths: tuple[str, ...]) -> list[Template]:
    found = []
    for name in above.of_type(STACK):
        path = above.nested_path(name)
        if path in paths:
            raise TemplateError(f"{' nests '.join((*paths, path))}: take one of the stacks out")
        if path in assembly.templates:
            above.nested[name] = one = Template(
                assembly.templates[path],
                path=path,
                where=above.where,
                catalogue=above.catalogue,
                given=_handed(above, name),
                key=f"{above.key}/{name}",
                shared=above.shared,
            )
            found += [one, *_below(assembly, one, (*paths, path))]
    return found


def _handed(above: Template, name: str) -> Callable[[str], Any]:
    told = above.properties(name).get("Parameters")
    given = told if isinstance(told, Mapping) else {}
    return lambda parameter: above.value(given[parameter]) if parameter in given else None
