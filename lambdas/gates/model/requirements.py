"""What a file of requirements pins, read strictly: what is not pinned there, nobody can look up; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas.common.errors import GranaryError

_PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;.*)?"
)
# Options that say where packages come from; others (-r, -c, -e) name packages that are elsewhere.
_WHENCE = ("-i", "-f", "--index-url", "--extra-index-url", "--find-links", "--no-index", "--trusted-host", "--pre")
_HOW = ("--no-binary", "--only-binary", "--prefer-binary", "--require-hashes", "--use-feature")


class UnpinnedError(GranaryError):
    """Something that is required has no one version."""


def pins(text: str) -> dict[str, str]:
    """Versions by name.

    Raises:
        UnpinnedError: a line is no pin, or a package has two.
    """
    found: dict[str, str] = {}
    for line in _lines(text):
        if line.partition("=")[0].split()[0] in (*_WHENCE, *_HOW):
            continue
        pin = _PIN.fullmatch(re.sub(r"\s--hash[= ]\S+", "", line).strip())
        if pin is None:
            raise UnpinnedError(f"{line[:80]!r} names no one version: pin it as name==version")
        name = re.sub(r"[-_.]+", "-", pin[1]).lower()
        if found.setdefault(name, pin[2]) != pin[2]:
            raise UnpinnedError(f"{name} is pinned to {found[name]} and to {pin[2]}: give each a file of its own")
    return found


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        if kept := re.sub(r"(^|\s)#.*", "", line).strip():
            yield kept
