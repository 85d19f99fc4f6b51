"""What files of requirements pin, read as strictly as pip reads them: what is not pinned, nobody can look up; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lambdas.common.errors import GranaryError

_PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;.*)?"
)
# Options that say where packages come from; others (-r, -c, -e) name packages that are elsewhere.
_WHENCE = ("-i", "-f", "--index-url", "--extra-index-url", "--find-links", "--no-index", "--trusted-host", "--pre")
_HOW = ("--no-binary", "--only-binary", "--prefer-binary", "--require-hashes", "--use-feature")
_OTHER = re.compile(r"(?:-r|--requirement)\s+([\w./-]+)")
_COMMENT = re.compile(r"(^|\s)#.*")
# In another encoding a comment may be a pin: pip obeys such a line, wherever it takes a line to end.
_ENCODING = re.compile(r"coding[:=]\s*([-\w.]+)")
_OURS = ("utf8", "ascii")


class UnpinnedError(GranaryError):
    """Something that is required has no one version."""


def pins(text: str, *, read: Callable[[str], bool] = lambda _: False) -> dict[str, str]:
    """Versions by name.

    Raises:
        UnpinnedError: as `every_pin`, or a package has two.
    """
    found: dict[str, str] = {}
    for name, version in every_pin(text, read=read):
        if found.setdefault(name, version) != version:
            raise UnpinnedError(f"{name} is pinned to {found[name]} and to {version}: give each a file of its own")
    return found


def every_pin(text: str, *, read: Callable[[str], bool] = lambda _: False) -> Iterator[tuple[str, str]]:
    """Names and versions, whatever a marker says of this machine; a file that another one names is `read` besides.

    Raises:
        UnpinnedError: a line is no pin, or the file is to be read in another encoding than UTF-8.
    """
    for encoding in _ENCODING.findall(text):
        if re.sub("[-_]", "", encoding).lower() not in _OURS:
            raise UnpinnedError(f"it says that its encoding is {encoding[:40]}: write it in UTF-8, and do not say so")
    for line in _lines(text):
        other = _OTHER.fullmatch(line)
        if _names_no_package(line) or (other and read(other[1])):
            continue
        pin = _PIN.fullmatch(re.sub(r"\s--hash[= ]\S+", "", line).strip())
        if pin is None:
            raise UnpinnedError(
                f"{line[:80]!r} names no one version: pin it as name==version; what it names in another file, move "
                "here, or have the gate look at that file too"
            )
        yield re.sub(r"[-_.]+", "-", pin[1]).lower(), pin[2]


def _names_no_package(line: str) -> bool:
    """Whether it is an option about packages of other lines, and has no second one behind it."""
    option, *values = line.replace("=", " ", 1).split()
    return option in (*_WHENCE, *_HOW) and not values[1:] and not "".join(values).startswith("-")


def _lines(text: str) -> Iterator[str]:
    """Lines without comments; as in pip, a comment does not go on in the next line."""
    begun = ""
    for line in text.splitlines():
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            begun += line.strip("\\")
            continue
        yield from _kept(f"{begun} {line}" if comment else begun + line)
        begun = ""
    yield from _kept(begun)


def _kept(line: str) -> Iterator[str]:
    if kept := _COMMENT.sub("", line).strip():
        yield kept
