"""`upstream`: what a merge of a newer Granary changes; asks git alone."""

from __future__ import annotations

import subprocess
from dataclasses import asdict
from pathlib import Path

from cli.common.errors import NotFoundError, UsageError
from cli.common.output import Output
from cli.saas.session import SaasSession
from cli.saas.zone import Change, in_zone, upgrade

_ROOT = Path(__file__).parents[3]
_SECONDS = 60


def show_upstream(_: SaasSession, output: Output, *, revision: str) -> None:
    """List what upstream has changed outside the users' zone, and what has been changed on both sides."""
    there = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    if not there:
        raise NotFoundError(
            f"git knows no revision {revision}: fetch it (`git remote add upstream URL`, once, and `git fetch "
            "upstream`), or name another with --from"
        )
    base = _git("merge-base", "HEAD", there).strip()
    if not base:
        raise UsageError(
            f"{revision} and HEAD have no commit in common: begin as a clone of Granary, not as a copy of its files"
        )
    ours = _git("diff", "--no-renames", "--name-only", "-z", base, "HEAD").split("\0")
    found = upgrade(_changes(_git("diff", "--no-renames", "--numstat", "-z", base, there)), ours)
    document = {"base": base, "upstream": there, **asdict(found)}
    added, removed = (sum(getattr(one, what) for one in found.outside) for what in ("added", "removed"))
    lines = [f"{len(found.outside)} files outside component/ and your configuration, +{added} -{removed}"]
    lines += [f"  {one.path}  +{one.added} -{one.removed}" for one in found.outside]
    lines += [f"{len(found.both)} files that you have changed, too"]
    lines += [f"  {path}{'' if in_zone(path) else '  (outside your zone)'}" for path in found.both]
    output.result(document, lines)


def _changes(told: str) -> dict[str, Change]:
    entries = (entry.split("\t", 2) for entry in told.split("\0") if entry)
    return {path: Change(path=path, added=_count(added), removed=_count(removed)) for added, removed, path in entries}


def _count(told: str) -> int:
    return int(told) if told.isdigit() else 0


def _git(*words: str) -> str:
    """What git says; nothing when it finds nothing.

    Raises:
        UsageError: this is no git repository, or there is no git.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, and a revision that no option can be
            ["git", *words],  # noqa: S607 - the git of whoever merges
            cwd=_ROOT,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"git cannot be run: {error}") from error
    if done.returncode not in (0, 1):
        told = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"`git {words[0]}` failed in {_ROOT}: {told}: run this in a clone of the repository")
    return done.stdout.decode(errors="surrogateescape")
