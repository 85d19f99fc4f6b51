"""Resolvers that ask the local cloud's DNS server and keep answers for their TTL: what clients see of a failover."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.resolver

_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Resolvers:
    """Some resolvers, each with a cache of its own."""

    each: Sequence[dns.resolver.Resolver]

    @classmethod
    def of(cls, server: tuple[str, int], *, count: int) -> Resolvers:
        """So many resolvers of a server, which have asked nothing yet."""
        made = []
        for _ in range(count):
            one = dns.resolver.Resolver(configure=False)
            one.nameservers, one.port, one.lifetime = [server[0]], server[1], 5.0
            one.cache = dns.resolver.Cache()
            made.append(one)
        return cls(each=made)

    def ask(self, names: Sequence[str]) -> list[str]:
        """What each resolver says of each name: where a CNAME leads, or else the address."""
        return [_place(one, name) for one in self.each for name in names]

    def until(
        self, names: Sequence[str], is_right: Callable[[str], bool], *, share: float = 0.95, seconds: float = 180.0
    ) -> float:
        """Ask again and again; the seconds until that share of the answers is right. Raises TimeoutError."""
        start = time.monotonic()
        while (past := time.monotonic() - start) < seconds:
            answers = self.ask(names)
            if sum(map(is_right, answers)) >= share * len(answers):
                return past
            time.sleep(_PAUSE_SECONDS)
        raise TimeoutError(f"After {seconds:g} s fewer than {share:.0%} of the answers are right.")


def _place(resolver: dns.resolver.Resolver, name: str) -> str:
    answer = resolver.resolve(name, "A", raise_on_no_answer=False, search=False)
    led = str(answer.canonical_name).rstrip(".")
    return led if led != name.rstrip(".").lower() or answer.rrset is None else str(answer.rrset[0])
