"""Clients: made once, patient with throttling, and as whom they are asked to be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import boto3
import pytest

from lambdas.common.clients import client, client_as


def test_a_client_is_made_once(aws: None) -> None:
    client.cache_clear()
    try:
        assert client("sqs") is client("sqs")
        assert client("sqs", "us-east-1").meta.region_name == "us-east-1"
        config = client("sqs").meta.config
    finally:
        client.cache_clear()
    assert config.retries["mode"] == "standard"
    assert (config.connect_timeout, config.read_timeout) == (3, 15)


def test_a_client_acts_with_the_credentials_given(aws: None) -> None:
    given = {"AccessKeyId": "ASIAEXAMPLEEXAMPLE00", "SecretAccessKey": "secret", "SessionToken": "token"}
    made = client_as("sqs", region="us-east-1", credentials=given)
    signed = made._request_signer._credentials.get_frozen_credentials()
    assert (signed.access_key, signed.secret_key, signed.token) == tuple(given.values())
    assert made.meta.region_name == "us-east-1"


def test_threads_make_clients_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's default session, which makes them, is not for several threads at once."""
    meeting = Barrier(2)
    met: list[str] = []

    def make(service: str, **_options: Any) -> object:
        with suppress(BrokenBarrierError):
            meeting.wait(0.3)
            met.append(service)
        return object()

    monkeypatch.setattr(boto3, "client", make)
    client.cache_clear()
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(client, ("sqs", "s3")))
    finally:
        client.cache_clear()
    assert met == []
