"""A commit of a gated repository, taken out of the clone that a build has been given.

Nothing of it is ever run. What is scanned is the commit and what it comes from, and no other branch: those have their
own verdicts.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from lambdas.common.errors import GranaryError

_SECONDS = 600
# A link may lead out of the tree: what it points at is a text here. Nobody's settings, and no hooks.
_SETTINGS = ("core.symlinks=false", "core.hooksPath=/dev/null", "advice.detachedHead=false", "gc.auto=0")
# What is scanned is what was committed: a file `.gitattributes` has it written in another encoding, in which a scanner
# sees nothing, or sent through a filter that the machine has, as Git LFS. These words count more than any of a tree.
_ATTRIBUTES = "* -text -ident -filter -working-tree-encoding\n"


class CheckoutError(GranaryError):
    """The commit cannot be had as it was pushed."""


def checkout(clone: Path, commit: str, target: Path) -> str:
    """Put a commit into an empty folder, with its history; answers the SHA-256 of the commit, which names its tree.

    Raises:
        CheckoutError: it is not there, or its history is not.
    """
    if _git(clone, "rev-parse", "--is-shallow-repository").strip() != b"false":
        raise CheckoutError("the clone has no history: a build's clone depth is to be full")
    _git(target, "init", "--quiet")
    (target / ".git" / "info").mkdir(exist_ok=True)
    (target / ".git" / "info" / "attributes").write_text(_ATTRIBUTES, encoding="utf-8")
    _git(target, "fetch", "--quiet", "--no-tags", str(clone), "HEAD")
    found = _git(target, "rev-parse", "FETCH_HEAD").decode().strip()
    if found != commit:
        raise CheckoutError(f"commit {commit} was pushed, and {found} is here: start the build anew")
    _git(target, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    return hashlib.sha256(_git(target, "cat-file", "commit", commit)).hexdigest()


def _git(folder: Path, *words: str) -> bytes:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        return subprocess.run(  # noqa: S603 - words of ours
            ["git", *settings, *words],  # noqa: S607 - the image's
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error).encode()).decode(errors="replace").strip()
        raise CheckoutError(f"git {words[0]}: {said[-300:]}") from error
