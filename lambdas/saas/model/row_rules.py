"""The rules that each attribute of a row must keep, and what is said of one that does not; pure."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.partitions import REGION_PATTERN, partition_of
from lambdas.common.written import as_written, cut, one_line
from lambdas.saas.model.adoption import DIGEST
from lambdas.saas.model.names import DEPLOYMENT_ID_LIMIT
from lambdas.saas.model.releases import REVISION
from lambdas.saas.model.target_policy import TargetPolicy

ACCOUNT_PATTERN = re.compile(r"[0-9]{12}")
# No name is made of an id alone: every one begins with the type or the factory's prefix, and so with a letter.
ID_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SLUG_MARK = 8  # characters that tell what was cut from others that begin the same

# CloudFormation takes 50 tags a stack; some are kept for the factory's own and the component's.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
TAGS_LIMIT = 20
# All keys and values together: the record goes into a variable of the tenant's build, and CodeBuild takes 4,096
# characters of one (and about 5,500 of all), or the build dies before it begins.
# https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html
TAGS_CHARACTERS = 3_500
_TAG_KEY = re.compile(r"(?!aws:|granary:)[A-Za-z0-9 _.:/=+@-]{1,128}", re.IGNORECASE)
_TAG_VALUE = re.compile(r"[A-Za-z0-9 _.:/=+@-]{0,256}")
# It stands in reasons, events and lists.
PIN_REASON_LIMIT = 200
MISSING = object()  # the value of an attribute that a row lacks, and must have: one that is NULL is there


def shown(value: object) -> str:
    """A value of a row as a reason repeats it: a string in quotation marks, anything else with its type."""
    return cut(json.dumps(value)) if isinstance(value, str) else as_written(value)


def text_reasons(name: str, value: object, example: str) -> list[str]:
    """What is wrong with an attribute that must be there and be a string."""
    if value is MISSING:
        return [f'{name} is missing: add "{name}": {{"S": "{example}"}}']
    if not isinstance(value, str):
        return [f'{name} must be a string, not {as_written(value)}: write it as {{"S": "{example}"}}']
    return []


def id_reasons(value: object) -> list[str]:
    """What is wrong with an id."""
    if reasons := text_reasons("id", value, "silo1"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - narrows the type; text_reasons has answered for the rest
    if len(value) > DEPLOYMENT_ID_LIMIT:
        return [
            f"id {shown(value)} has {len(value)} characters; names derived from it would break AWS limits: "
            f"use at most {DEPLOYMENT_ID_LIMIT}{_instead(value)}"
        ]
    if not ID_PATTERN.fullmatch(value):
        return [
            f"id {shown(value)} is not usable in names: use lower-case letters, digits and single "
            f"hyphens{_instead(value)}"
        ]
    return []


def _instead(text: str) -> str:
    """The id to use instead of a text, always the same, if the text has anything that an id may have."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded))
    if len(slug) > DEPLOYMENT_ID_LIMIT:
        mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_SLUG_MARK]
        slug = f"{slug[: DEPLOYMENT_ID_LIMIT - _SLUG_MARK - 1].rstrip('-')}-{mark}"
    return f", such as {slug}, and keep yours as external_id" if slug else ""


def one_of_reasons(name: str, value: object, allowed: Sequence[str], *, optional: bool = False) -> list[str]:
    """What is wrong with an attribute that must be one of some words."""
    if optional and value is None:
        return []
    if reasons := text_reasons(name, value, allowed[0]):
        return reasons
    if value not in allowed:
        choice = f"{', '.join(allowed[:-1])} or {allowed[-1]}" if len(allowed) > 1 else allowed[0]
        return [f"{name} {shown(value)} is unknown: use {choice}"]
    return []


def account_reasons(value: object, policy: TargetPolicy) -> list[str]:
    """What is wrong with an account."""
    if reasons := text_reasons("account", value, "222222222222"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - as above
    if not ACCOUNT_PATTERN.fullmatch(value):
        return [f"account {shown(value)} is not an AWS account id: use its 12 digits"]
    if policy.accounts is None and value == policy.home:
        return [
            f"account {value} is the toolchain's own, where everything is deployed as administrator: use another "
            "account of the organization"
        ]
    if policy.accounts is not None and value not in policy.accounts:
        return [
            f"account {value} is no workload account: add it to `accounts` in config/workloads.yaml, or to the file of "
            "`accounts_file` there, and release that"
        ]
    return []


def region_reasons(value: object, policy: TargetPolicy, name: str = "region") -> list[str]:
    """What is wrong with a Region."""
    if reasons := text_reasons(name, value, "us-east-1"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - as above
    if not REGION_PATTERN.fullmatch(value):
        return [f"{name} {shown(value)} is not the id of an AWS Region: use one like us-east-1"]
    if partition_of(value) != policy.partition:
        return [
            f"{name} {value} is in partition {partition_of(value)}, this toolchain is in {policy.partition}: "
            f"use a Region of {policy.partition}, or another toolchain"
        ]
    if value not in policy.regions:
        return [
            f"{name} {value} is no workload Region: use one of {', '.join(sorted(policy.regions))}, "
            "or add it to `regions` in config/workloads.yaml and release that"
        ]
    return []


def standby_reasons(value: object, region: object, policy: TargetPolicy) -> list[str]:
    """What is wrong with the Region of the standby; without one there is no standby."""
    if value is None:
        return []
    if isinstance(value, str) and value == region:
        return [
            f"standby_region {shown(value)} is the region itself, where the primary stands: use another Region, or "
            "leave it out"
        ]
    return region_reasons(value, policy, "standby_region")


def ring_reasons(value: object, policy: TargetPolicy) -> list[str]:
    """What is wrong with a ring; without one the release chooses."""
    if value is None:
        return []
    if not policy.rings:
        return [] if isinstance(value, str) else text_reasons("ring", value, "early")
    return one_of_reasons("ring", value, policy.rings)


def move_reasons(value: object) -> list[str]:
    """What is wrong with the consent to a move."""
    if value is None or isinstance(value, bool):
        return []
    return [f'allow_move must be a boolean, not {as_written(value)}: write it as {{"BOOL": true}}']


def adopt_reasons(value: object) -> list[str]:
    """What is wrong with the consent to taking over a stack: true, or the digest of the plan that was shown."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and DIGEST.fullmatch(value)):
        return []
    told = shown(value) if isinstance(value, str) else as_written(value)
    return [
        f'allow_adopt must be a boolean or the digest of a plan, not {told}: write it as {{"BOOL": true}}, or as '
        "`granary status` shows it"
    ]


def pin_reasons(revision: object, reason: object, until: object) -> list[str]:
    """What is wrong with a pin: the revision, why, and until when; without the first there is none."""
    named = {"revision_reason": reason, "revision_until": until}
    lone = [name for name, value in named.items() if value is not None and revision is None]
    return [
        *(f"{name} says nothing without revision: name the release, or leave {name} out" for name in lone),
        *_revision_reasons(revision),
        *_pin_reason_reasons(reason),
        *_until_reasons(until),
    ]


def _revision_reasons(value: object) -> list[str]:
    if value is None:
        return []
    if reasons := text_reasons("revision", value, "4f2c9d1"):
        return reasons
    if not REVISION.fullmatch(str(value)):
        return [f"revision {shown(value)} names no release: use the whole name of one, as `granary list` shows them"]
    return []


def _pin_reason_reasons(value: object) -> list[str]:
    if value is None:
        return []
    if reasons := text_reasons("revision_reason", value, "the new one breaks their import"):
        return reasons
    if len(str(value)) > PIN_REASON_LIMIT or one_line(str(value)) != value:
        return [f"revision_reason {shown(value)} is no line of at most {PIN_REASON_LIMIT} characters: shorten it"]
    return []


def _until_reasons(value: object) -> list[str]:
    example = "2027-01-07T08:00:00Z"
    if value is None:
        return []
    if reasons := text_reasons("revision_until", value, example):
        return reasons
    if not moment_of(str(value)):
        return [f"revision_until {shown(value)} is no moment with its offset from UTC: write it as {example}"]
    return []


def moment_of(text: str) -> str:
    """The stamp of a moment that a person has written, with its offset from UTC; empty when it is none."""
    try:
        written = datetime.fromisoformat(text)
        return stamp(written) if written.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def tags_reasons(value: object) -> list[str]:
    """What is wrong with tags."""
    if value is None:
        return []
    example = '{"M": {"cost-center": {"S": "1234"}}}'
    if not isinstance(value, Mapping):
        return [f"tags must be a map of strings, not {as_written(value)}: write them as {example}"]
    if len(value) > TAGS_LIMIT:
        return [f"tags are {len(value)}, which with the stacks' own would be too many: use at most {TAGS_LIMIT}"]
    lower = [key.lower() for key in value if isinstance(key, str) and _TAG_KEY.fullmatch(key)]
    twice = sorted({key for key in lower if lower.count(key) > 1})
    reasons = [f"tags name {key} more than once: AWS takes no keys that differ in their case only" for key in twice]
    reasons += [reason for key, text in value.items() for reason in _tag_reasons(key, text)]
    if not reasons and (size := sum(len(key) + len(text) for key, text in value.items())) > TAGS_CHARACTERS:
        return [f"tags have {size:,} characters together, which no build takes: use at most {TAGS_CHARACTERS:,}"]
    return reasons


def _tag_reasons(key: Any, text: Any) -> list[str]:
    if not isinstance(key, str) or not _TAG_KEY.fullmatch(key):
        rule = "use 1 to 128 of A-Z a-z 0-9 _.:/=+@- and spaces, and no aws: or granary: in front"
        return [f"tag {shown(key)} is no key that AWS takes, or is one of the factory's own: {rule}"]
    if not isinstance(text, str) or not _TAG_VALUE.fullmatch(text):
        return [
            f"tag {key} has a value that AWS does not take, {shown(text)}: use a string of at most 256 such letters"
        ]
    return []
