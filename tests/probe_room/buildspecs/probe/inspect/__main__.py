"""The check at the end of CI/CD's synth build: the assembly is there."""

from __future__ import annotations

import json
from pathlib import Path

stacks = json.loads(Path("cdk.out/manifest.json").read_text(encoding="utf-8"))["artifacts"]
print(f"probe: inspected {len(stacks)} artifacts")
