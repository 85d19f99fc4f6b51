"""Sample tenants: beside the assembly, in `cdk.out/samples`, for what rooms check of templates; and of every kind, for
the digest of what tenants get.

The first are those of `stacks.saas.samples`. With arguments: those with all rules too, whichever rooms are on, into the
folder OUT and with the configuration of a folder (`python -m buildspecs.saas.ci.sample_tenants OUT CONFIGURATION`), as
`granary component check` asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from buildspecs.saas.build_steps import make_ready
from buildspecs.saas.ci import every_kind
from buildspecs.synthesis import SynthesisError, synthesize
from config.loader import load
from lambdas.common.errors import GranaryError
from stacks.cicd import rooms_on
from stacks.saas.room import RULES
from stacks.saas.samples import sample_tenants

_OUT = Path("cdk.out/samples").resolve()


def main(words: Sequence[str] = ()) -> int:
    """Synthesize them; without words, those for rooms if one that is on checks anything, and note what tenants get."""
    if words:
        return _check(out=Path(words[0]), directory=Path(words[1]))
    configuration = load()
    make_ready()
    if any(room.checks for room, _ in rooms_on(configuration)):
        synthesize(sample_tenants(configuration), out=_OUT)
    every_kind.note(configuration)
    return 0


def _check(*, out: Path, directory: Path) -> int:
    try:
        make_ready()
        asked = {"configuration": str(directory), RULES: "true"}
        synthesize(sample_tenants(load(directory)), out=out, validated=True, asked=asked)
    except SynthesisError:
        # What the app said is told already, and what its rules have found is in their report.
        return 1
    except GranaryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
