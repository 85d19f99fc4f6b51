"""Secrets, with Kingfisher: its own rules, and those in the folder of the option `rules`.

Nothing is sent anywhere (`--no-validate`), and no comment in what is scanned silences it (`--no-ignore`). Nor does the
size of a file or of an archive, or how many are in each other (`--no-limits`): it passes over those without a word.

The report has the secrets, for `--redact` puts another hash in their place each time: it is in a folder that is gone
once it was read, and what is kept of a secret are a few bits by which the same one is known again. Files whose names
its own rules pass over are scanned for keys of AWS by ours (`kingfisher.yml`).
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from pathlib import Path

from lambdas.gates.scanners.scanner import CommandScanner, Options

_FINDINGS = 200
_OURS = Path(__file__).with_suffix(".yml")


def _words(found: Sequence[Path], report: Path, options: Options) -> list[str]:
    words = ["scan", *map(str, found), "--format", "json", "--output", str(report)]
    words += ["--no-validate", "--no-update-check", "--no-ignore", "--no-limits", "--no-dedup"]
    words += ["--git-history", "full" if options.get("history") else "none"]
    words += ["--rules-path", str(_OURS), "--exclude-rule", "betterleaks.aws-access-token"]
    # Of the source that configures the gate: what is scanned may have a folder of that name, and say less.
    return [*words, "--rules-path", str(Path(str(options["rules"])).resolve())] if options.get("rules") else words


def _plant(folder: Path) -> None:
    """A key of AWS's form, another one each time: it is nobody's, and stands in no file of ours."""
    key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    secret = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
    (folder / "planted.py").write_text(f'aws_access_key_id = "{key}"\naws_secret_access_key = "{secret}"\n')


SCANNER = CommandScanner(
    name="kingfisher",
    words=_words,
    plant=_plant,
    codes=frozenset({0, _FINDINGS}),
    reads_history=True,
    variables=lambda cache: {"XDG_CACHE_HOME": str(cache)},
)
