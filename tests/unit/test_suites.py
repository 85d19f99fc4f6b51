"""Which runs the whole suite has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.__main__ import local_runs

ROOT = Path(__file__).parents[2]


def test_every_test_of_the_local_cloud_is_in_one_run() -> None:
    found: Counter[Path] = Counter()
    for words in local_runs(""):
        places = words[: words.index("--ignore")] if "--ignore" in words else words
        ignored = words[len(places) + 1 :: 2]
        for place in map(Path, places):
            files = [place] if place.suffix else (ROOT / place).rglob("test_*.py")
            within = [one.relative_to(ROOT) if one.is_absolute() else one for one in files]
            found.update(one for one in within if not any(one.is_relative_to(other) for other in ignored))
    assert found == Counter(path.relative_to(ROOT) for path in (ROOT / "tests/local").rglob("test_*.py"))
