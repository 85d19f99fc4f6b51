"""Clients: made once, patient with throttling, and as whom they are asked to be."""

from __future__ import annotations

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
