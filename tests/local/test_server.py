"""The server: where it listens, how it starts and ends, accounts, IAM."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_cloud.__main__ import main
from local_cloud.cloud import LocalCloud, LocalCloudError
from tests.local.local_cloud_fixtures import REGION, Workbench, allow, zipped

_LISTEN, _BOUND = "0A", "07"


def _listening(pid: int) -> set[str]:
    """The address:port pairs, as the kernel writes them, on which a process listens."""
    inodes, found = set(), set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # Read once: the server opens and closes files meanwhile.
        with contextlib.suppress(FileNotFoundError):
            inodes.add(str(link.readlink()))
    for table, state in (("tcp", _LISTEN), ("tcp6", _LISTEN), ("udp", _BOUND), ("udp6", _BOUND)):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == state and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1])
    return found


def test_listens_on_two_ports_of_the_loopback_address_only(cloud: LocalCloud, tmp_path: Path) -> None:
    """Services and DNS; services of ECS have ports of their own, on that address as well."""
    with LocalCloud.start(tmp_path) as new:
        assert _listening(new.pid) == {f"0100007F:{port:04X}" for port in (new.settings.port, new.dns[1])}
    assert {one.partition(":")[0] for one in _listening(cloud.pid)} == {"0100007F"}


def test_a_second_start_in_the_same_directory_finds_nothing_of_the_first(tmp_path: Path) -> None:
    with LocalCloud.start(tmp_path) as first:
        first.client("s3", "111111111111", "us-east-1").create_bucket(Bucket="left-behind")
        with pytest.raises(LocalCloudError, match="already runs"):
            LocalCloud.start(tmp_path)
        assert LocalCloud.attach(tmp_path).pid == first.pid
    with pytest.raises(LocalCloudError, match="No local cloud runs"):
        LocalCloud.attach(tmp_path)
    with LocalCloud.start(tmp_path) as second:
        assert second.client("s3", "111111111111", "us-east-1").list_buckets()["Buckets"] == []


def test_a_failed_start_shows_the_log(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LocalCloudError, match=r"(?s)did not start.*server.log"):
            LocalCloud.start(tmp_path, port=taken.getsockname()[1])


def test_accounts_and_regions_are_apart(workbench: Workbench) -> None:
    name = "/granary/parameter"
    workbench.client("ssm").put_parameter(Name=name, Value="here", Type="String")
    elsewhere = (
        workbench.cloud.client("ssm", workbench.account, "us-east-1"),
        workbench.cloud.client("ssm", "499999999999", REGION),
    )
    for ssm in elsewhere:
        with pytest.raises(ssm.exceptions.ParameterNotFound):
            ssm.get_parameter(Name=name)


def test_a_role_may_do_what_its_policy_allows_and_nothing_else(workbench: Workbench) -> None:
    workbench.client("s3").create_bucket(Bucket="allowed", CreateBucketConfiguration={"LocationConstraint": REGION})
    role = workbench.role(
        "reader",
        principal={"AWS": workbench.account},
        statements=[allow("s3:ListBucket", resource="arn:aws:s3:::allowed")],
    )
    s3 = workbench.client("s3", workbench.assume(role))
    assert s3.list_objects_v2(Bucket="allowed")["KeyCount"] == 0
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="allowed", Key="key", Body=b"")


@pytest.mark.parametrize(("tag", "allowed"), [("deploy", True), ("lookup", False)])
def test_assume_role_can_depend_on_the_tags_of_the_role(workbench: Workbench, tag: str, allowed: bool) -> None:
    caller = workbench.role(
        "caller",
        principal={"AWS": workbench.account},
        statements=[allow("sts:AssumeRole", StringEquals={"iam:ResourceTag/bootstrap-role": "deploy"})],
    )
    target = workbench.role("target", principal={"AWS": workbench.account}, tags={"bootstrap-role": tag})
    credentials = workbench.assume(caller)
    if allowed:
        assert workbench.assume(target, credentials)["SessionToken"]
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            workbench.assume(target, credentials)


_FUNCTION = """
import boto3
def handler(event, context):
    ssm = boto3.client("ssm")
    value = ssm.get_parameter(Name="/open")["Parameter"]["Value"]
    try:
        ssm.get_parameter(Name="/closed")
    except Exception as error:
        return {"open": value, "closed": error.response["Error"]["Code"]}
"""


def test_a_function_reaches_the_server_over_tls_with_the_rights_of_its_role(workbench: Workbench) -> None:
    for name in ("/open", "/closed"):
        workbench.client("ssm").put_parameter(Name=name, Value="value", Type="String")
    role = workbench.role(
        "function",
        principal={"Service": "lambda.amazonaws.com"},
        statements=[allow("ssm:GetParameter", resource=f"arn:aws:ssm:{REGION}:{workbench.account}:parameter/open")],
    )
    functions = workbench.client("lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="index.handler",
        Role=role,
        # A busy machine may take longer than a function's three seconds.
        Timeout=60,
        Code={"ZipFile": zipped({"index.py": _FUNCTION})},
    )
    answer = functions.invoke(FunctionName="f")
    assert json.loads(answer["Payload"].read()) == {"open": "value", "closed": "AccessDeniedException"}


def test_cdk_bootstrap_runs_unchanged(workbench: Workbench) -> None:
    workbench.cloud.bootstrap(workbench.account, REGION, trust=["111111111111"])
    stacks = workbench.client("cloudformation").describe_stacks(StackName="CDKToolkit")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"


def test_the_environment_of_subprocesses_keeps_what_the_machine_trusts(cloud: LocalCloud) -> None:
    variables = cloud.env("111111111111", REGION)
    local = cloud.settings.ca.read_text()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"):
        bundle = Path(variables[name]).read_text()
        assert local in bundle
        assert bundle.count("BEGIN CERTIFICATE") > 1
    assert Path(variables["AWS_CA_BUNDLE"]).read_text() == local, "AWS SDKs call nobody else"
    assert "AWS_PROFILE" not in variables


def test_the_command_line_starts_shows_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--state-dir", str(tmp_path)]
    assert main(["up", *where]) == 0
    try:
        assert main(["env", *where, "--account", "111111111111", "--region", REGION]) == 0
        output = capsys.readouterr().out
        assert f"export AWS_ENDPOINT_URL={LocalCloud.attach(tmp_path).endpoint}" in output
    finally:
        assert main(["down", *where]) == 0
    assert main(["down", *where]) == 0, "stopping twice is harmless"
    assert "nothing to stop" in capsys.readouterr().out
    assert main(["env", *where, "--account", "111111111111", "--region", REGION]) == 1
    assert "No local cloud runs" in capsys.readouterr().err
