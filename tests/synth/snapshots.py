"""Templates as people read them: YAML, references in one line, content hashes masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.types import PropertyFilter, PropertyMatcher, SerializableData, SerializedData

from tests.synth.assembly import Template, flat

_HASH = re.compile(r"\b[0-9a-f]{64}\b")
# What every stack has, and nothing of ours.
_BOILERPLATE = ("Rules", "Parameters")


class _Dumper(yaml.SafeDumper):
    """YAML with a text of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def readable(template: Template) -> str:
    """The template as YAML."""
    body = {name: _plain(part) for name, part in template.body.items() if name not in _BOILERPLATE}
    text = yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=140)
    return _HASH.sub("<hash>", text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::Join"):
            return flat(value)
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return _indented(value) if isinstance(value, str) else value


def _indented(text: str) -> str:
    """JSON within the template (dashboards, buildspecs), indented."""
    if not text.startswith("{"):
        return text
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text


class YamlExtension(SingleFileSnapshotExtension):
    """One YAML file a snapshot."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> SerializedData:
        """Take the text as it is."""
        return str(data)
