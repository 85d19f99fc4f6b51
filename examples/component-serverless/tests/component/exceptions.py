"""What of the component's templates the rules of tests/synth/rules let pass, and why that may be."""

from __future__ import annotations

# Who does not say for which account or resource it acts, where.
UNGUARDED: dict[tuple[str, str], str] = {}
# What a rule finds in stacks of tenants, by the rule's name and the end of what it says.
EXCEPTED = {
    ("tables_are_safe", "can be deleted"): "the table goes with its tenant, when it has been archived",
    ("tables_are_safe", "not retained"): "the same: the next tenant of that id makes one of that name",
    ("tables_are_safe", "no stream"): "nobody is told of what happens in the table",
}
# What the execution policy allows beside what the templates need: action, resource, and why.
WIDER: dict[tuple[str, str], str] = {}
