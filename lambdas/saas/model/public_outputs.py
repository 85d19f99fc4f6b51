"""What a component declares public, in outputs of its stacks: a contract of templates and statuses; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lambdas.common.written import one_line

# The keys of such outputs begin so. No library names an output like that by itself, as it would `PublicApiEndpoint`.
PUBLIC_PREFIX = "GranaryPublic"
# Of a place: a status, an event and a page of answers hold them all.
MOST = 20
LONGEST_NAME = 64
# As JSON has it: what is beyond ASCII takes six or twelve.
LONGEST_VALUE = 512

_NAME = re.compile(rf"[A-Za-z0-9]{{1,{LONGEST_NAME}}}")


def public_outputs(outputs: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Of a stack's outputs those that are declared public, by name; and the names of what is left out as too much.

    A value that is too long is left out, for a part of an address leads nowhere. Control characters are escaped.
    """
    public = {key.removeprefix(PUBLIC_PREFIX): value for key, value in outputs.items() if key.startswith(PUBLIC_PREFIX)}
    told = fit(public)
    return told, tuple(sorted(public.keys() - told.keys()))


def fit(values: Mapping[Any, Any]) -> dict[str, str]:
    """The first of some values by name, of any origin, as a status and an event have room for them."""
    texts = {name: one_line(one) for name, one in values.items() if isinstance(name, str) and isinstance(one, str)}
    fitting = ((name, text) for name, text in sorted(texts.items()) if _NAME.fullmatch(name) and _is_short(text))
    return dict(list(fitting)[:MOST])


def _is_short(text: str) -> bool:
    return len(json.dumps(text)) - len('""') <= LONGEST_VALUE
