"""Environments of scanners: each is made of its lock, with hashes, when it is first used, and outlives a build.

A lock may say `--no-binary NAME` of a package that is published as source alone; `<lock>-build.txt` is what builds it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lambdas.common.errors import GranaryError

_LOCKS = Path(__file__).parent
_SECONDS = 900
# What a scanner gets of our environment: no credential, unless it cannot do without an account.
_HANDED_ON = ("LANG", "LC_ALL", "PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "TMPDIR")
_FOR_PIP = ("PIP_", "HOME", "http", "no_proxy", "HTTP", "NO_PROXY", *_HANDED_ON)
# A line of a lock whose scanner is one file: for which machine, its SHA-256, and where it is.
_BINARY = re.compile(r"^(\S+) ([0-9a-f]{64}) (\S+)$", re.MULTILINE)


class EnvironmentError_(GranaryError):
    """An environment cannot be made."""


def _cache() -> Path:
    """Where environments and scanners' caches stay between builds: GRANARY_SCANNERS, or the user's cache."""
    return Path(os.environ.get("GRANARY_SCANNERS") or Path.home() / ".cache" / "granary" / "scanners")


@dataclass(frozen=True, kw_only=True)
class Environments:
    """Makes and finds environments in a folder, of the locks in another one."""

    root: Path
    locks: Path = field(default_factory=lambda: _LOCKS)

    @classmethod
    def here(cls) -> Environments:
        """Those of this machine."""
        return cls(root=_cache())

    @property
    def cache(self) -> Path:
        """A folder for what scanners want to find again."""
        made = self.root / "cache"
        made.mkdir(parents=True, exist_ok=True)
        return made

    def of(self, name: str) -> Path:
        """The environment of a scanner, made now if its lock is new; several may ask at the same time.

        Raises:
            EnvironmentError_: it cannot be made.
        """
        locks = [one for one in (self.locks / f"{name}-build.txt", self.locks / f"{name}.txt") if one.exists()]
        content = b"".join(one.read_bytes() for one in locks)
        digest = hashlib.sha256(content + sys.version.encode()).hexdigest()[:16]
        place = self.root / f"{name}-{digest}"
        with self.locked(name):
            if not (place / ".ready").exists():
                print(f"setting up {name}'s own environment, once: {place}", file=sys.stderr, flush=True)
                self._make(place, locks)
        return place

    def variables(self, place: Path, *, account: bool = False) -> dict[str, str]:
        """The environment variables of a command in an environment; with `account`, those by which AWS knows us."""
        given = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        path = os.pathsep.join((str(place / "bin"), given.get("PATH", os.defpath)))
        ours = {"PATH": path, "HOME": str(self.cache), "PYTHONDONTWRITEBYTECODE": "1"}
        # Profiles are in the home of whoever runs the gate.
        known = {name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "HOME"}
        return given | ours | (known if account else {})

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """One at a time changes an environment."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self, place: Path, locks: Sequence[Path]) -> None:
        shutil.rmtree(place, ignore_errors=True)
        if binaries := _BINARY.findall(locks[-1].read_text(encoding="utf-8")):
            _download(binaries, place / "bin" / locks[-1].stem)
            (place / ".ready").touch()
            return
        # `-P`: the folder in which a gate is run may be somebody else's, with a pip.py of its own.
        pip = [str(place / "bin" / "python"), "-P", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        pinned = [*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-build-isolation"]
        environment = {name: value for name, value in os.environ.items() if name.startswith(_FOR_PIP)}
        made = [sys.executable, "-P", "-m", "venv", str(place)]
        for command in (made, *([*pinned, "-r", str(one)] for one in locks)):
            _done(command, environment)
        (place / ".ready").touch()


def _download(binaries: Sequence[tuple[str, str, str]], program: Path) -> None:
    here = f"{sys.platform}-{platform.machine()}"
    known = {machine: (digest, address) for machine, digest, address in binaries}
    if here not in known:
        raise EnvironmentError_(f"its environment cannot be made: there is no binary of it for {here}")
    digest, address = known[here]
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - an address of a lock
            content = answer.read()
    except OSError as error:
        raise EnvironmentError_(f"its environment cannot be made: {address}: {error}") from error
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise EnvironmentError_(f"its environment cannot be made: {address} has SHA-256 {found}, and not {digest}")
    program.parent.mkdir(parents=True)
    program.write_bytes(content)
    program.chmod(0o755)


def _done(command: list[str], environment: Mapping[str, str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - words of ours
            command, env=dict(environment), check=True, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()[-300:]
        raise EnvironmentError_(f"its environment cannot be made: {said}") from error
