"""What a row says to its component: what is accepted, what is said of the rest, and what it comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.dynamo import read_item
from lambdas.common.errors import GranaryError
from lambdas.saas.model.declared import Parameter, Tier
from lambdas.saas.model.defaults import filled
from lambdas.saas.model.names import DEPLOYMENT_ID_LIMIT
from lambdas.saas.model.parameter_rules import TOGETHER
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.row_rules import TAGS_CHARACTERS, id_reasons
from tests.unit.lambdas.saas.strategies import POLICY, dynamo_values, records

ROW: dict[str, Any] = {"id": "silo1", "type": "silo", "account": "222222222222", "region": "eu-west-1"}
SAYS = replace(
    POLICY,
    rings=("early", "general"),
    parameters={
        "domain": Parameter(default="none.example.com", pattern=r"[a-z0-9.-]+"),
        "plan": Parameter(default="basic", choices=("basic", "full")),
        "note": Parameter(),
        "license": Parameter(reference="secret"),
        "zone": Parameter(default="/granary/zone", reference="parameter"),
    },
    tiers={
        "gold": Tier(
            size="large", ring="early", parameters={"plan": "full", "note": "g"}, tags={"tier": "gold", "a": "1"}
        ),
        "free": Tier(),
    },
)
ARN = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:acme/license-AbCdEf"
LONG = "x" * 512


def read(**more: Any) -> DeploymentRecord | InvalidRow:
    return parse_row({**ROW, **more}, SAYS)


def said(**more: Any) -> DeploymentRecord:
    record = read(**more)
    assert isinstance(record, DeploymentRecord), record
    return record


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tier": "silver"}, 'tier "silver" is unknown: use gold or free'),
        ({"tier": 7}, 'tier must be a string, not {"N": "7"}'),
        ({"tier": ""}, 'tier "" is unknown'),
        (
            {"tier": "gold", "tags": {f"k{n}": "" for n in range(19)}},
            "tier gold has tags of its own, with which they are 21",
        ),
        ({"parameters": "a=b"}, 'parameters must be a map of strings, not {"S": "a=b"}: write them as {"M": '),
        ({"parameters": {f"p{n}": "" for n in range(31)}}, "parameters are 31: use at most 30"),
        ({"parameters": {"size": "1"}}, 'parameter "size" is not declared: take it out of the row, or declare it'),
        ({"parameters": {"size": "1"}}, "declared are domain, plan, note, license, zone"),
        ({"parameters": {"domain": 7}}, 'parameter "domain" must be a string, not {"N": "7"}'),
        ({"parameters": {"domain": "Acme"}}, 'parameter "domain" does not fit: use what the pattern [a-z0-9.-]+ has'),
        ({"parameters": {"domain": "acme\n"}}, 'parameter "domain" has what CloudFormation or a terminal would obey'),
        ({"parameters": {"note": "{{resolve:ssm:/x}}"}}, "without {{ and ${"),
        ({"parameters": {"note": "${Token[TOKEN.1]}"}}, "without {{ and ${"),
        ({"parameters": {"note": "x" * 513}}, 'parameter "note" has 513 characters: use at most 512'),
        ({"parameters": {"plan": "huge"}}, 'parameter "plan" is unknown: use one of basic, full'),
        ({"parameters": {"license": "two words"}}, 'parameter "license" is no reference: use the name or ARN of a Sec'),
        ({"parameters": {"license": "AKIA" + "Q" * 16}}, 'parameter "license" is no reference'),
        ({"parameters": {"zone": ""}}, 'parameter "zone" is no reference: use the name or ARN of an SSM parameter'),
        (
            {"parameters": {"license": ARN.replace("2" * 12, "3" * 12)}},
            "or an ARN arn:aws:secretsmanager:eu-west-1:222",
        ),
        ({"parameters": {"license": ARN.replace("eu-west", "us-east")}}, "is of another account, Region or service"),
        ({"parameters": {"zone": ARN}}, "or an ARN arn:aws:ssm:eu-west-1:222222222222:parameter/..."),
        ({"parameters": {"license": ARN.replace("secret:", "policy:")}}, "is of another account, Region or service"),
        ({"parameters": {"license": f"{ARN} b"}}, 'parameter "license" is no reference'),
        ({"parameters": {"license": ARN}, "standby_region": "us-east-1"}, "the row has two: use the name"),
        ({"parameters": {"note": LONG}, "tags": {f"{n:02}": "x" * 170 for n in range(20)}}, "together, as JSON"),
        ({"external_id": 7}, 'external_id must be a string, not {"N": "7"}'),
        ({"external_id": ""}, "use 1 to 128 printable characters"),
        ({"external_id": "x" * 129}, "use 1 to 128 printable characters"),
        ({"external_id": " a"}, "and no spaces around them"),
        ({"external_id": "a\x1b[31m"}, "printable characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(more: dict[str, Any], reason: str) -> None:
    parsed = read(**more)
    assert isinstance(parsed, InvalidRow)
    assert reason in parsed.reason
    assert len(parsed.reasons) == 1


# No real ones: the first of each kind is AWS's or the tool's own example.
SECRETS = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab",
    "postgres://app:hunter2@db.internal/app",
    "-----BEGIN " + "PRIVATE KEY-----",
    "ghp" + "_" + "a" * 36,
    "sk" + "_live_" + "4242",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "Password=hunter2",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_refused_and_repeated_nowhere(secret: str) -> None:
    parsed = read(parameters={"note": secret})
    assert isinstance(parsed, InvalidRow)
    assert 'parameter "note" looks like a secret: keep it in Secrets Manager in the workload account' in parsed.reason
    assert secret not in parsed.reason


@pytest.mark.parametrize(
    "value",
    [
        "https://acme.example.com:8443/a?b=c",
        "a" * 64,
        "0123456789abcdef" * 4,
        "Acme & S\u00f6hne (2026), \u6771\u4eac",
        "123e4567-e89b-12d3-a456-426614174000",
        "arn:aws:kms:eu-west-1:222222222222:key/123e4567-e89b-12d3-a456-426614174000",
        "",
    ],
)
def test_what_is_no_secret_passes(value: str) -> None:
    assert said(parameters={"note": value}).parameters == (("note", value),)


@pytest.mark.parametrize("name", ["license", "zone"])
def test_a_reference_is_a_name_or_an_arn_of_the_same_place(name: str) -> None:
    arns = {"license": ARN, "zone": "arn:aws:ssm:eu-west-1:222222222222:parameter/acme/zone"}
    for value in ("acme/license", "/acme/zone", arns[name]):
        assert said(parameters={name: value}).parameters == ((name, value),)
    managed = "rds!cluster-1b2c"
    assert said(parameters={"license": managed}).parameters == (("license", managed),)
    assert said(parameters={name: "acme/x"}, standby_region="us-east-1").standby_region


def test_every_reason_is_given_at_once() -> None:
    parsed = read(id="A", tier="x", external_id="", parameters={"plan": "x", "domain": "A", "size": "1"})
    assert isinstance(parsed, InvalidRow)
    assert len(parsed.reasons) == 6


def test_without_declarations_everything_is_undeclared() -> None:
    parsed = parse_row({**ROW, "tier": "gold", "parameters": {"plan": "x"}}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert "declare it under `tiers` in config/workloads.yaml" in parsed.reasons[0]
    assert parsed.reasons[1].endswith("config/workloads.yaml and release that")


def test_own_attributes_come_before_the_tiers_and_those_before_defaults() -> None:
    own = said(tier="gold", size="small", ring="general", tags={"A": "2"}, parameters={"plan": "basic"})
    assert (own.size, own.ring) == ("small", "general")
    done = filled(own, SAYS)
    assert done.size == "small"
    assert dict(done.tags) == {"A": "2", "tier": "gold"}
    assert dict(done.parameters) == {
        "domain": "none.example.com", "plan": "basic", "note": "g", "license": "", "zone": "/granary/zone",
    }  # fmt: skip
    tier = said(tier="gold")
    assert (tier.size, tier.ring, tier.parameters) == ("", "early", ())
    assert (filled(tier, SAYS).size, dict(filled(tier, SAYS).parameters)["plan"]) == ("large", "full")
    assert (filled(said(tier="free"), SAYS).size, filled(said(), SAYS).size) == ("small", "small")


def test_a_source_that_has_no_such_tier_deploys_nothing_instead() -> None:
    """Given a release of before the tier, then it does not make the tenant a small one."""
    with pytest.raises(GranaryError, match="tier gold is none of this release"):
        filled(said(tier="gold"), replace(SAYS, tiers={}))


def test_a_source_that_declares_a_parameter_no_more_leaves_it_out() -> None:
    fewer = replace(SAYS, parameters={"plan": SAYS.parameters["plan"]})
    assert filled(said(parameters={"domain": "a", "plan": "full"}), fewer).parameters == (("plan", "full"),)


values = st.text(max_size=40).filter(lambda text: Parameter().problem(text) == "")


@given(records, st.dictionaries(st.sampled_from(["note"]), values), st.sampled_from(["", "gold", "free"]))
def test_what_a_row_says_survives_its_journey_and_decides(
    record: DeploymentRecord, given_: dict[str, str], tier: str
) -> None:
    """Given a tier or parameters, the digest is another; without, it is the one that it was before there were any."""
    says = replace(record, tier=tier, parameters=tuple(given_.items()), size="" if tier else "small")
    assert DeploymentRecord.from_json(says.to_json()) == says
    assert (says.digest() == record.digest()) is not bool(tier or given_)
    assert replace(says, external_id="4711").digest() == says.digest()
    if given_:
        assert replace(says, parameters=(("note", f"{given_['note']}!"),)).digest() != says.digest()


def test_a_size_of_its_own_is_another_wish_than_the_tiers() -> None:
    """Given a row that says small for itself, then a tier that becomes large later does not make it large."""
    assert said(tier="free", size="small").digest() != said(tier="free").digest()
    assert said(size="small").digest() == said().digest()


def test_what_a_tier_is_decides_no_digest() -> None:
    """A tier that changes comes with a release, ring by ring: no row is provisioned again for it."""
    other = replace(SAYS, tiers={"gold": Tier(size="small")})
    changed = parse_row({**ROW, "tier": "gold"}, other)
    assert isinstance(changed, DeploymentRecord)
    assert changed.digest() == said(tier="gold").digest()


def test_the_largest_row_fits_into_a_variable_of_a_build() -> None:
    row = {"id": "a" * DEPLOYMENT_ID_LIMIT, "tier": "t" * 32, "size": "medium", "standby_region": "us-east-1"}
    policy = replace(SAYS, tiers={"t" * 32: Tier()}, parameters={f"p{n}" + "n" * 60: Parameter() for n in range(30)})
    text = '"\\\u00e9'
    for count in range(40, 0, -1):
        parameters = dict.fromkeys(policy.parameters, text * count)
        parsed = parse_row({**ROW, **row, "parameters": parameters}, policy)
        if isinstance(parsed, DeploymentRecord):
            break
        assert "together, as JSON" in parsed.reason
    assert isinstance(parsed, DeploymentRecord)
    assert len(replace(parsed, region="ap-northeast-99", standby_region="ap-southeast-99").to_json()) <= 4096


def test_tags_alone_are_bounded_as_they_were() -> None:
    """Given tags as many as were good before there were parameters, then they are good beside an empty map."""
    tags = {f"{number:02}": "x" * 173 for number in range(20)}
    assert sum(map(len, (*tags, *tags.values()))) == TAGS_CHARACTERS < TOGETHER
    assert isinstance(read(tags=tags, parameters={}), DeploymentRecord)


@given(st.sampled_from(["tier", "parameters", "external_id"]), dynamo_values)
def test_a_reason_is_short_and_printable(attribute: str, value: dict[str, Any]) -> None:
    parsed = parse_row({**ROW, **read_item({attribute: value})}, SAYS)
    if isinstance(parsed, InvalidRow):
        assert all(reason.isprintable() and len(reason) < 500 for reason in parsed.reasons)


@given(st.text(max_size=60))
def test_an_id_that_is_not_usable_is_told_one_that_is(text: str) -> None:
    for reason in id_reasons(text):
        slug = reason.partition(", such as ")[2].partition(", and keep")[0]
        assert not slug or id_reasons(slug) == []
