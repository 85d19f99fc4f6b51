"""Zones of the local cloud: what a change of records is refused for, and what resolvers are told."""

from __future__ import annotations

import socket

import dns.flags
import dns.message
import dns.query
import pytest
from botocore.exceptions import ClientError

from local_cloud.factory.resolvers import Resolvers
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until
from tests.local.route53_support import AT_ONCE, OUT, Domain


def test_a_batch_is_refused_as_a_whole_with_all_reasons(domain: Domain) -> None:
    domain.change(domain.record("one", 100))
    foreign = {**domain.record("one", 1), "Name": "app.other.example"}
    code, message = domain.refused(domain.record("two", 1), domain.record("one", 1), foreign, action="CREATE")
    assert code == "InvalidChangeBatch"
    assert "but it already exists" in message
    assert "app.other.example. is not permitted in zone" in message
    assert [one["SetIdentifier"] for one in domain.records()] == ["one"]


def test_what_a_request_does_not_take_is_refused(domain: Domain) -> None:
    assert domain.refused(domain.record("one", 256))[0] == "InvalidInput"
    assert domain.refused(domain.record("one", 1, HealthCheckId="gone"))[0] == "NoSuchHealthCheck"
    many = [domain.record("one", 1, name=f"app{number}") for number in range(501)]
    assert domain.refused(*many) == ("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]")
    domain.change(*many[:500])
    assert len(domain.records()) == 500


def test_one_change_of_a_zone_at_a_time(domain: Domain) -> None:
    domain.workbench.cloud.faults.set({"route53": {"busy_seconds": 600}})
    first = domain.change(domain.record("one", 100))
    assert domain.client.get_change(Id=first)["ChangeInfo"]["Status"] == "PENDING"
    assert domain.refused(domain.record("one", 0))[0] == "PriorRequestNotComplete"
    domain.workbench.cloud.faults.set({"route53": AT_ONCE})
    assert domain.client.get_change(Id=first)["ChangeInfo"]["Status"] == "INSYNC"
    domain.change(domain.record("one", 0))


def test_an_account_is_throttled(domain: Domain) -> None:
    domain.workbench.cloud.faults.set({"route53": {**AT_ONCE, "requests_a_second": 0.2}})
    domain.client.list_hosted_zones()
    assert domain.refused(domain.record("one", 1))[0] == "Throttling"
    other = Workbench(cloud=domain.workbench.cloud, account=domain.workbench.account[::-1])
    other.client("route53").list_hosted_zones()


def test_an_ordered_fault_is_an_error_of_route_53(domain: Domain) -> None:
    error = {"route53:ChangeResourceRecordSets": {"error": "ServiceUnavailable", "count": 1}}
    domain.workbench.cloud.faults.set(error)
    assert domain.refused(domain.record("one", 1))[0] == "ServiceUnavailable"
    domain.change(domain.record("one", 1))


def test_iam_looks_into_a_change(domain: Domain) -> None:
    root = {"AWS": f"arn:aws:iam::{domain.workbench.account}:root"}
    key = "route53:ChangeResourceRecordSets"
    only = {f"{key}Actions": ["UPSERT"], f"{key}RecordTypes": ["CNAME"]}
    names = {f"{key}NormalizedRecordNames": [f"app*.{domain.name}"]}
    statements = [
        allow(
            key,
            resource=f"arn:aws:route53:::hostedzone/{domain.zone}",
            **{"ForAllValues:StringEquals": only, "ForAllValues:StringLike": names},
        ),
        allow("route53:GetChange", resource="arn:aws:route53:::change/*"),
    ]
    role = domain.workbench.role("switcher", principal=root, statements=statements)
    client = domain.workbench.client("route53", domain.workbench.assume(role))
    change = domain.change(domain.record("one", 1), client=client)
    assert client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC"
    text = {"Name": f"app.{domain.name}", "Type": "TXT", "TTL": 1, "ResourceRecords": [{"Value": '"a"'}]}
    denied = [
        domain.refused(domain.record("one", 1), action="DELETE", client=client),
        domain.refused(text, client=client),
        domain.refused(domain.record("one", 1, name="www"), client=client),
    ]
    assert {code for code, _ in denied} == {"AccessDenied"}


def test_a_switch_takes_a_place_out_and_lets_it_in_again(domain: Domain) -> None:
    domain.change(domain.record("one", 100, HealthCheckId=domain.switch()), domain.record("two", 0))
    assert domain.seen() == ("NOERROR", ["one.example.net."])
    resolvers, name = Resolvers.of(domain.workbench.cloud.dns, count=5), f"app.{domain.name}"
    assert set(resolvers.ask([name])) == {"one.example.net"}
    domain.publish(1)
    resolvers.until([name], lambda place: place == "two.example.net", seconds=30)
    domain.publish(0)
    resolvers.until([name], lambda place: place == "one.example.net", seconds=30)


def test_a_health_check_keeps_its_last_state_without_its_alarm(domain: Domain) -> None:
    check = domain.switch()

    def status() -> str:
        return domain.status(check)

    assert status() == "Success"
    domain.publish(1)
    wait_until(lambda: status() == "Failure", what="the health check's failure")
    domain.workbench.client("cloudwatch").delete_alarms(AlarmNames=[OUT])
    domain.client.update_health_check(HealthCheckId=check, Inverted=True)
    assert domain.client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]["Inverted"] is True
    assert status() == "Success"
    domain.client.update_health_check(HealthCheckId=check, Inverted=False, InsufficientDataHealthStatus="Healthy")
    wait_until(lambda: status() == "Success", what="the health check's success")


def test_health_checks_probe_this_machine_only(domain: Domain) -> None:
    port = domain.workbench.cloud.settings.port
    probes = {"IPAddress": "127.0.0.1", "Port": port, "ResourcePath": "/_ministack/health"}
    well, ill = domain.check(Type="HTTPS", **probes), domain.check(Type="HTTP", **probes)
    domain.change(domain.record("one", 100, HealthCheckId=ill), domain.record("two", 1, HealthCheckId=well))
    # A busy machine may take longer than a probe waits.
    wait_until(lambda: (domain.status(ill), domain.status(well)) == ("Failure", "Success"), what="both probes")
    assert domain.seen()[1] == ["two.example.net."]
    with pytest.raises(ClientError, match=r"probe 127\.0\.0\.1, localhost, and not '192\.0\.2\.1'"):
        domain.check(Type="TCP", IPAddress="192.0.2.1", Port=443)


def test_the_dns_server_answers_for_names_that_are_not_there(domain: Domain) -> None:
    domain.change(domain.record("one", 100, name="a.b"))
    assert domain.seen("c")[0] == "NXDOMAIN"
    assert domain.seen("b") == ("NOERROR", [])
    answer = domain.client.test_dns_answer(HostedZoneId=domain.zone, RecordName=f"c.{domain.name}", RecordType="A")
    assert (answer["ResponseCode"], answer["RecordData"]) == ("NXDOMAIN", [])


def test_nothing_that_is_asked_silences_the_dns_server(domain: Domain) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for packet in (b"", b"x", b"\xff" * 40):
            client.sendto(packet, domain.workbench.cloud.dns)
    mail = {"Name": f"bad.{domain.name}", "Type": "MX", "TTL": 1, "ResourceRecords": [{"Value": "nobody knows"}]}
    domain.change(mail, domain.record("one", 1))
    assert domain.seen("bad", "MX")[0] == "SERVFAIL"
    assert domain.seen()[0] == "NOERROR"


def test_long_answers_are_had_over_tcp(domain: Domain) -> None:
    values = [{"Value": f'"{"x" * 200}{number}"'} for number in range(5)]
    domain.change({"Name": f"long.{domain.name}", "Type": "TXT", "TTL": 1, "ResourceRecords": values})
    (server, port), query = domain.workbench.cloud.dns, dns.message.make_query(f"long.{domain.name}", "TXT")
    assert dns.query.udp(query, server, port=port, timeout=5).flags & dns.flags.TC
    assert len(dns.query.tcp(query, server, port=port, timeout=5).answer[0]) == 5
