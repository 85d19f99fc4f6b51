"""The step in front of the release: it has the source, and the assembly beside it."""

from __future__ import annotations

from pathlib import Path

print(f"probe: attested {len(list(Path('cdk.out').glob('*.template.json')))} templates")
