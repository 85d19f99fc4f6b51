"""Every template of every configuration keeps every rule."""

from __future__ import annotations

import pytest

from tests.synth.assembly import Template
from tests.synth.rules.catalog import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_template_keeps_the_rule(rule: Rule, templates: list[Template]) -> None:
    assert templates
    assert [f"{template.stack}/{finding}" for template in templates for finding in rule(template)] == []
