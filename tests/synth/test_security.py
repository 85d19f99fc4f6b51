"""Every template of every configuration keeps every rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stacks.foundation import Foundation
from stacks.gates.analyzer import analyzer_statements
from tests.component.exceptions import EXCEPTED
from tests.synth.assembly import Template
from tests.synth.cases import CASES
from tests.synth.configurations import AWS, configuration
from tests.synth.rules.catalog import RULES, Rule, exceptions_used, findings
from tests.synth.rules.policies import (
    OVERRIDABLE,
    UNGUARDED,
    WITHOUT_RESOURCE,
    overridable,
    starts_builds,
    statements,
    unguarded,
)
from tests.synth.test_analyzer_statements import section


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_template_keeps_the_rule(rule: Rule, templates: list[Template]) -> None:
    assert templates
    assert [finding for template in templates for finding in findings(rule, template)] == []


def test_every_exception_of_the_rules_is_needed(templates_of: Callable[[str], list[Template]]) -> None:
    templates = [template for case in CASES for template in templates_of(case)]
    services = {
        (service, place) for template in templates for _, service, places in unguarded(template) for place in places
    }
    assert set(UNGUARDED) <= services
    assert set(EXCEPTED) == {one for template in templates for rule in RULES for one in exceptions_used(rule, template)}
    starting = [one for template in templates for one in statements(template) if starts_builds(one)]
    assert set(OVERRIDABLE) == {found for one in starting for _, key in OVERRIDABLE for found in overridable(one, key)}
    everywhere = {
        action
        for template in templates
        for statement in statements(template)
        if statement.kind == "identity" and "*" in statement.resources
        for action in statement.actions
    }
    # No case has a gate that asks Access Analyzer.
    asked = analyzer_statements(Foundation.of(configuration(AWS)), section("cfn_policy_validator"))
    analyzer = {action for one in asked if "*" in one.resources for action in one.actions}
    assert set(WITHOUT_RESOURCE) == everywhere | analyzer
