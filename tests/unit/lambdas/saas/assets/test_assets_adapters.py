"""What the function reads and asks for: the artifact, the places, the builds."""

from __future__ import annotations

import io
import json
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.assets.listing import assets_of
from lambdas.saas.assets.places import Places
from lambdas.saas.assets.publishing import Order, PublishingBuilds, Seen
from lambdas.saas.model.assets import MOST, Asset
from lambdas.saas.store.job_assembly import Zipped
from tests.unit.lambdas.saas.lifecycle.adapters import REGION, SESSION, stubbed

ACCOUNT = "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/granary/cdk-granary-{{}}-publishing-role-{ACCOUNT}-{REGION}"
FILE = Asset(image=False, region=REGION, role=ROLE.format("file"), holder="bucket", name="components/0a.zip")
IMAGE = Asset(image=True, region=REGION, role=ROLE.format("image"), holder="repository", name="0b")
PUBLISHER = "arn:aws:iam::111111111111:role/granary-asset-publishing"
ORDER = Order(location="artifacts/silo-ada-pipeline/x/y", stack="silo-ada-pipeline", cli_version="2.1.0", images=True)


STAGE = {"type": "cdk:cloud-assembly"}
LIST = {"type": "cdk:asset-manifest"}
PLACE = {"bucketName": "bucket", "objectKey": FILE.name, "region": REGION, "assumeRoleArn": FILE.role}


def _files(name: str, key: str, path: str) -> str:
    place = {**PLACE, "objectKey": key}
    return json.dumps({"files": {name: {"source": {"path": path}, "destinations": {"x": place}}}})


def _stage(path: str, folder: str) -> dict[str, Any]:
    return {**STAGE, "properties": {"displayName": path, "directoryName": folder}}


def _manifest(**artifacts: Any) -> str:
    return json.dumps({"artifacts": artifacts})


def _assembly(**more: str | bytes) -> Zipped:
    """A stage with one list, in which another one is nested that lists the same; and what is not to be published."""
    lists = {**LIST, "properties": {"file": "S.assets.json"}}
    files: dict[str, str | bytes] = {
        "silo-ada-pipeline.assets.json": _files("0c", "tenants/t", "t"),
        "manifest.json": _manifest(
            own={**LIST, "properties": {"file": "silo-ada-pipeline.assets.json"}},
            stage=_stage("silo-ada-pipeline/Deploy", "d"),
            another=_stage("silo-ada-b-pipeline/Deploy", "b"),
        ),
        "d/S.assets.json": _files("0a", FILE.name, "../asset.0a"),
        "d/manifest.json": _manifest(lists=lists, nested=_stage("silo-ada-pipeline/Deploy/More", "n")),
        "d/n/S.assets.json": _files("0a", FILE.name, "../../asset.0a"),
        "d/n/manifest.json": _manifest(lists=lists),
        "asset.0a/manifest.json": "of somebody's function, and no JSON",
        "asset.0a/obj/project.assets.json": "[]",
        "d/else/x.assets.json": _files("0e", "components/else", "y"),
    }
    body = io.BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as made:
        for name, text in {**files, **more}.items():
            made.writestr(name, text)
    return Zipped(ZipFile(body))


def test_the_components_assets_are_read_and_not_the_pipelines() -> None:
    """What a component's own files are called like lists of assets is nobody's business: .NET has one in each build."""
    assert assets_of("silo-ada-pipeline", _assembly()) == [FILE]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"manifest.json": "no JSON"},
        {"manifest.json": "{}"},
        {"manifest.json": "[]"},
        {"d/manifest.json": _manifest(lists={**LIST, "properties": {"file": "not-there.json"}})},
        {"d/manifest.json": _manifest(lists={**LIST, "properties": {"file": "../manifest.json"}})},
        {"d/manifest.json": _manifest(lists={**LIST, "properties": {"file": ["a"]}})},
        {"d/S.assets.json": _files("0a", FILE.name, "x").replace("destinations", "destination")},
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_assembly_that_is_none_is_told(spoilt: dict[str, str]) -> None:
    with pytest.raises(GranaryError, match="the assembly cannot be read"):
        assets_of("silo-ada-pipeline", _assembly(**spoilt))


def test_more_than_can_be_looked_for_within_a_functions_time_is_refused() -> None:
    places = {f"{number}": {**PLACE, "objectKey": f"{number}"} for number in range(MOST)}
    lists = json.dumps({"files": {"0a": {"source": {}, "destinations": places}}})
    with pytest.raises(GranaryError, match=r"lists 2,001 assets, and 2,000 can be looked for"):
        assets_of("silo-ada-pipeline", _assembly(**{"d/S.assets.json": lists}))


class _Sessions:
    """STS, as whoever asks: notes what each session may do."""

    class meta:
        region_name = "us-east-1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def assume_role(self, **given: Any) -> Any:
        (statement,) = json.loads(given["Policy"])["Statement"]
        self.asked.append((given["RoleArn"], statement))
        return SESSION


def _places(sts: _Sessions, stub: Stubber) -> Places:
    clients = {"sts": sts}
    return Places(
        sts=sts,
        publisher=PUBLISHER,
        session_name="granary-assets",
        make_client=lambda service, **_: clients.get(service, stub.client),
    )


@pytest.mark.parametrize("code", ["404", "NoSuchBucket"])
def test_an_object_is_looked_for_and_nothing_else_may_be_done(code: str) -> None:
    sts = _Sessions()
    with stubbed("s3") as s3:
        s3.add_response("head_object", {}, {"Bucket": "bucket", "Key": FILE.name, "ExpectedBucketOwner": ACCOUNT})
        assert _places(sts, s3).missing([FILE]) == []
        s3.add_client_error("head_object", code, http_status_code=404)
        assert _places(sts, s3).missing([FILE]) == [FILE]
    (first, hop), (second, look) = sts.asked[:2]
    assert (first, second) == (PUBLISHER, FILE.role)
    assert (hop["Action"], hop["Resource"]) == (["sts:AssumeRole"], [FILE.role])
    assert look["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert look["Resource"] == ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]


def test_a_bucket_that_does_not_tell_is_named_and_what_may_pass_is_asked_again() -> None:
    """As one that somebody else has made under its name: S3 says no more than 403 to a question about an object."""
    with stubbed("s3") as s3:
        s3.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
        with pytest.raises(GranaryError, match=f"whether bucket/{FILE.name} in account {ACCOUNT} in {REGION} is pub"):
            _places(_Sessions(), s3).missing([FILE])
        s3.add_client_error("head_object", "503", "Slow Down", http_status_code=503)
        with pytest.raises(ClientError):
            _places(_Sessions(), s3).missing([FILE])


@pytest.mark.parametrize("code", ["ImageNotFoundException", "RepositoryNotFoundException"])
def test_an_image_is_looked_for(code: str) -> None:
    sts = _Sessions()
    with stubbed("ecr") as ecr:
        ecr.add_response("describe_images", {}, {"repositoryName": "repository", "imageIds": [{"imageTag": "0b"}]})
        assert _places(sts, ecr).missing([IMAGE]) == []
        ecr.add_client_error("describe_images", code)
        assert _places(sts, ecr).missing([IMAGE]) == [IMAGE]
    assert sts.asked[1][1]["Action"] == ["ecr:DescribeImages"]
    assert sts.asked[1][1]["Resource"] == [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/repository"]


def test_a_place_that_trusts_nobody_says_what_to_do() -> None:
    with stubbed("sts") as sts:
        sts.add_response("assume_role", SESSION)
        sts.add_client_error("assume_role", "AccessDenied")
        places = Places(
            sts=sts.client, publisher=PUBLISHER, session_name="granary-assets", make_client=lambda *_, **__: sts.client
        )
        with pytest.raises(GranaryError, match=f"account {ACCOUNT} is not bootstrapped in {REGION}"):
            places.missing([FILE])


def _builds(stub: Stubber, logs: Any = None) -> PublishingBuilds:
    return PublishingBuilds(client=stub.client, logs=logs, project="granary-assets")


def test_a_build_is_started_on_the_assembly_with_the_cli_of_its_release() -> None:
    with stubbed("codebuild") as codebuild:
        variables = {"PIPELINE_STACK": "silo-ada-pipeline", "CLI_VERSION": "2.1.0"}
        codebuild.add_response(
            "start_build",
            {"build": {"id": "granary-assets:1"}},
            {
                "projectName": "granary-assets",
                "idempotencyToken": "t",
                "sourceTypeOverride": "S3",
                "sourceLocationOverride": ORDER.location,
                "privilegedModeOverride": True,
                "environmentVariablesOverride": [
                    {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
                ],
            },
        )
        codebuild.add_client_error("start_build", "AccountLimitExceededException", "60 builds")
        assert _builds(codebuild).start(ORDER, token="t") == "granary-assets:1"
        with pytest.raises(CapacityError, match="60 builds"):
            _builds(codebuild).start(ORDER, token="t")


def test_how_a_build_stands_and_why_it_failed() -> None:
    phase = {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 1"}]}
    where = {"groupName": "g", "streamName": "s"}
    failed = {"buildComplete": True, "buildStatus": "FAILED", "phases": [phase], "logs": where}
    stopped = {"buildComplete": True, "buildStatus": "STOPPED", "phases": []}
    with stubbed("codebuild") as codebuild, stubbed("logs") as logs:
        for build in ({"buildComplete": False}, {"buildComplete": True, "buildStatus": "SUCCEEDED"}, failed, stopped):
            codebuild.add_response("batch_get_builds", {"builds": [build]}, {"ids": ["p:1"]})
        codebuild.add_response("batch_get_builds", {"builds": []})
        logs.add_response("get_log_events", {"events": [{"message": "denied: no such repository"}]})
        seen = [_builds(codebuild, logs.client).look("p:1") for _ in range(5)]
    why = "build p:1 FAILED: phase BUILD: exit status 1; its log: denied: no such repository"
    others = Seen(), Seen(over=True), Seen(over=True, said="build p:1 STOPPED: no phase says why"), Seen(over=True)
    assert seen == [others[0], others[1], Seen(over=True, said=why), others[2], others[3]]


def test_which_builds_are_not_over() -> None:
    with stubbed("codebuild") as codebuild:
        found = [{"id": "p:1", "buildComplete": True}, {"id": "p:2", "buildComplete": False}]
        codebuild.add_response("batch_get_builds", {"builds": found}, {"ids": ["p:1", "p:2", "p:3"]})
        assert _builds(codebuild).running(["p:2", "p:1", "p:3", "p:2"]) == {"p:2"}
        assert _builds(codebuild).running([]) == set()
