"""The example on ECS, deployed as far as the local cloud goes, where CloudFormation may do what the check says alone.

The serverless one is delivered by a factory: `test_your_component.py`.
"""

from __future__ import annotations

import json

import pytest

from lambdas.saas.model.tasks import Task
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from tests.example_zones import PLACE
from tests.local.ecs_support import write_images
from tests.local.examples_support import REGION, Example
from tests.local.local_cloud_fixtures import Workbench, wait_until

_SHOP = "700000000040"
_DATA, _SERVICE = "silo-acme-data", "silo-acme-resources"


def _land(bench: Workbench) -> None:
    """What the landing zone has there, and publishes."""
    ec2 = bench.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{name}")
        for number, name in enumerate("ab")
    ]
    zone = bench.client("route53").create_hosted_zone(Name="example.com", CallerReference="shop")["HostedZone"]["Id"]
    offered = {
        "vpc": vpc,
        "subnets": ",".join(one["Subnet"]["SubnetId"] for one in subnets),
        "zone": zone.rpartition("/")[2],
        "certificate": bench.client("acm").request_certificate(DomainName="*.example.com")["CertificateArn"],
    }
    for what, value in offered.items():
        kind = "StringList" if what == "subnets" else "String"
        bench.client("ssm").put_parameter(Name=PLACE[what], Value=value, Type=kind)


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example on ECS: a tenant of a tier, with parameters of its own. Its image is not built here."""
    made = Example.ready("component-ecs", cloud=cloud, account=_SHOP, root=tmp_path_factory.mktemp("shop"))
    _land(made.bench)
    # There is no container: the example's own program, and what a task of the image gets.
    program = ["python", str(PROJECT_ROOT / "examples/component-ecs/component/app/serve.py")]
    write_images(cloud.settings.state_dir / "images.json", {"*/cdk-granary-container-assets-*": program})
    made.bench.client("secretsmanager").create_secret(Name="shop/license", SecretString="paid")
    row = {"id": "acme", "size": "", "tier": "gold", "parameters": [["domain", "acme.example.com"]]}
    _, templates = made.synthesized(row)
    for name in (_DATA, _SERVICE):
        assert made.create(name, templates[name]) == "CREATE_COMPLETE", made.failures(name)
    return made


def test_the_example_on_ecs_runs_its_tasks_with_their_secrets(shop: Example) -> None:
    """Given a secret by reference and one that RDS makes, then tasks start, which they do not without them."""

    def running() -> bool:
        (service,) = shop.bench.client("ecs").describe_services(cluster="silo-acme", services=["silo-acme"])["services"]
        return bool(service["runningCount"] == service["desiredCount"] > 0)

    wait_until(running, what="the tasks of the service")
    definition = shop.bench.client("ecs").describe_task_definition(taskDefinition="silo-acme-migration")
    (container,) = definition["taskDefinition"]["containerDefinitions"]
    secrets = {one["name"]: one["valueFrom"] for one in container["secrets"]}
    assert secrets.keys() == {"DATABASE_LOGIN", "LICENSE"}
    told = Task.of_output("Migrate", shop.outputs(_DATA), stack=_DATA).ecs
    assert told
    assert (told.cluster, told.definition) == ("silo-acme", definition["taskDefinition"]["taskDefinitionArn"])
    assert [one[:7] for one in told.network["subnets"]] == ["subnet-", "subnet-"]
    login = shop.bench.client("secretsmanager").get_secret_value(SecretId=secrets["DATABASE_LOGIN"])
    assert json.loads(login["SecretString"])["username"] == "shop"
    assert container["command"] == ["python", "migrate.py"]
    assert {"name": "PLAN", "value": "full"} in container["environment"]


def test_its_dns_name_leads_to_its_load_balancer(shop: Example) -> None:
    (balancer,) = shop.bench.client("elbv2").describe_load_balancers()["LoadBalancers"]
    (zone,) = shop.bench.client("route53").list_hosted_zones()["HostedZones"]
    records = shop.bench.client("route53").list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (alias,) = (one["AliasTarget"]["DNSName"] for one in records if one["Name"] == "acme.example.com.")
    assert alias.rstrip(".") == balancer["DNSName"]
    assert shop.outputs(_SERVICE)["GranaryPublicAddress"] == "https://acme.example.com"


def test_its_stacks_go_with_the_same_permissions(shop: Example) -> None:
    for name in (_SERVICE, _DATA):
        assert shop.delete(name) == "DELETE_COMPLETE", shop.failures(name)
    assert [one["Name"] for one in shop.bench.client("secretsmanager").list_secrets()["SecretList"]] == ["shop/license"]
