"""What of the component's templates the rules of tests/synth/rules let pass, and why that may be."""

from __future__ import annotations

# Who does not say for which account or resource it acts, where.
UNGUARDED: dict[tuple[str, str], str] = {}
