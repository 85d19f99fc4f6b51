"""The DNS server: UDP and TCP on one loopback port, answering from all public zones of all accounts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import dnslib
from ministack.services import alb, route53

from local_cloud.route53 import health
from local_cloud.route53.answers import Answer, Answers, Line, Zone, index, placeholder
from local_cloud.route53.records import Record

_LONGEST_DATAGRAM = 512
_TRIES = 20
# The parser of zone files takes five times as long as these need.
_SIMPLE = ("A", "AAAA", "CNAME")
_log = logging.getLogger("local_cloud")
_ports: list[int] = []
_indexes: dict[str, tuple[Sequence[Record], Zone]] = {}


def start() -> None:
    """Answer from now on; once, before it serves."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="dns").start()
    _ports.append(asyncio.run_coroutine_threadsafe(_listen(), loop).result())


def port() -> int:
    """Where it answers, on 127.0.0.1."""
    return _ports[0]


def zone_of(name: str) -> Zone | None:
    """The public zone that a name is in: the longest, and of several the first."""
    zones = list(route53._zones.to_dict().items())
    found = [
        (len(zone["name"]), account, which)
        for (account, which), zone in zones
        if not zone.get("private") and (name == zone["name"] or name.endswith(f".{zone['name']}"))
    ]
    if not found:
        return None
    _, account, which = max(found, key=lambda one: one[0])
    return zone_by_id(account, which)


def zone_by_id(account: str, which: str) -> Zone | None:
    """A zone with its records, indexed once for each state of it."""
    zone, records = (table.get_scoped(account, None, which) for table in (route53._zones, route53._records))
    if zone is None or records is None:
        return None
    known = _indexes.get(which)
    if known is None or known[0] is not records:
        names = index(records, zone["name"])
        known = records, Zone(id=which, account=account, name=zone["name"], names=names)
        _indexes[which] = known
    return known[1]


def address_of(name: str) -> str:
    """Where a name of AWS's is: load balancers of this cloud are here, anything else has a placeholder."""
    known = {str(one["DNSName"]).lower() for _, one in list(alb._lbs.all_items())}
    return "127.0.0.1" if name.rstrip(".") in known else placeholder(name)


ANSWERS = Answers(zone_of=zone_of, is_healthy=health.is_healthy, address_of=address_of)


def respond(packet: bytes, *, longest: int | None = None) -> bytes:
    """The response to a query, cut short where it would be longer."""
    number, question = packet[:2], packet[2:]
    name, kind, _ = _asked(question)
    try:
        packed = _packed(question, ANSWERS.to(name, kind))
    except Exception:
        _log.exception("The DNS server has no answer to %s %s", name, kind)
        packed = _packed(question, Answer(code="SERVFAIL"))
    if longest is not None and len(packed) > longest:
        packed = _packed(question, Answer(), is_cut=True)
    return number + packed[2:]


# A query is parsed and a response packed once: that takes longer than all the rest.
@lru_cache(maxsize=65536)
def _asked(question: bytes) -> tuple[str, str, Any]:
    query = dnslib.DNSRecord.parse(b"\0\0" + question)
    return str(query.q.qname).lower(), str(dnslib.QTYPE[query.q.qtype]), query


@lru_cache(maxsize=65536)
def _packed(question: bytes, answer: Answer, *, is_cut: bool = False) -> bytes:
    *_, query = _asked(question)
    reply = query.reply(ra=0, aa=1)
    reply.header.rcode, reply.header.tc = getattr(dnslib.RCODE, answer.code), int(is_cut)
    for lines, add in ((answer.lines, reply.add_answer), (answer.authority, reply.add_auth)):
        add(*map(_record, lines))
    return bytes(reply.pack())


def _record(line: Line) -> Any:
    name, kind, ttl, value = line
    if kind in _SIMPLE:
        return dnslib.RR(name, getattr(dnslib.QTYPE, kind), ttl=ttl, rdata=getattr(dnslib, kind)(value))
    return dnslib.RR.fromZone(f"{name} {ttl} IN {kind} {value}")[0]


class _Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        with contextlib.suppress(dnslib.DNSError):
            self._transport.sendto(respond(data, longest=_LONGEST_DATAGRAM), addr)


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(2), "big")
            answer = respond(await reader.readexactly(length))
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, dnslib.DNSError):
        writer.close()


async def _listen() -> int:
    loop = asyncio.get_running_loop()
    for _ in range(_TRIES):
        transport, _ = await loop.create_datagram_endpoint(_Datagrams, ("127.0.0.1", 0))
        number: int = transport.get_extra_info("sockname")[1]
        try:
            await asyncio.start_server(_stream, "127.0.0.1", number)
        except OSError:
            transport.close()
        else:
            return number
    raise OSError("The DNS server found no port of 127.0.0.1 that is free for UDP and TCP.")
