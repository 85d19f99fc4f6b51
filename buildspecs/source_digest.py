"""`python -m buildspecs.source_digest`: notes the digest of the source, before a build leaves anything beside it."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.archive import digest, pack

_NOTE = Path(".build/source.sha256")


def noted() -> str:
    """The digest that was noted."""
    return _NOTE.read_text(encoding="utf-8").strip()


def main() -> None:
    """Note it."""
    found = digest(pack(Path(os.environ.get("CODEBUILD_SRC_DIR", "."))))
    _NOTE.parent.mkdir(exist_ok=True)
    _NOTE.write_text(f"{found}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
