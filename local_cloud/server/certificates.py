"""The server's TLS certificate, and CA bundles that add it to what the machine already trusts."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local_cloud.server.settings import Settings

_VALID_DAYS = 365


def ensure(settings: Settings) -> None:
    """Write CA, server certificate and both CA bundles into the state directory.

    An existing certificate is kept while it is valid for another day, so that shells that trust it keep working.
    The bundles are written anew each time: the machine's own certificates may have changed.
    """
    settings.tls_dir.mkdir(parents=True, exist_ok=True)
    if not _still_valid(settings.ca):
        _write_certificates(settings.tls_dir)
    local_ca = settings.ca.read_bytes()
    settings.ca_bundle.write_bytes(_machine_bundle(settings) + b"\n" + local_ca)
    settings.node_ca_certs.write_bytes(_extra_node_certs(settings) + b"\n" + local_ca)


def certificate_file(settings: Settings) -> Path:
    """The server certificate (PEM)."""
    return settings.tls_dir / "server.pem"


def key_file(settings: Settings) -> Path:
    """The server's private key (PEM)."""
    return settings.tls_dir / "server.key"


def _machine_bundle(settings: Settings) -> bytes:
    named = (os.environ.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"))
    candidates = [*named, ssl.get_default_verify_paths().cafile, certifi.where()]
    for candidate in candidates:
        if candidate and Path(candidate).is_file() and Path(candidate) != settings.ca_bundle:
            return Path(candidate).read_bytes()
    raise FileNotFoundError("No CA bundle of this machine was found; set SSL_CERT_FILE to one.")


def _extra_node_certs(settings: Settings) -> bytes:
    existing = os.environ.get("NODE_EXTRA_CA_CERTS")
    if existing and Path(existing).is_file() and Path(existing) != settings.node_ca_certs:
        return Path(existing).read_bytes()
    return b""


def _still_valid(ca_file: Path) -> bool:
    if not ca_file.is_file():
        return False
    expires = x509.load_pem_x509_certificate(ca_file.read_bytes()).not_valid_after_utc
    return expires - datetime.datetime.now(datetime.UTC) > datetime.timedelta(days=1)


def _write_certificates(tls_dir: Path) -> None:
    # The CA's private key is never written: nobody can issue another certificate that this machine's tools trust.
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("local cloud CA")
    ca = (
        _builder(subject=ca_name, issuer=ca_name, key=ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    names = [x509.DNSName("localhost"), x509.DNSName("*.localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = (
        _builder(subject=_name("localhost"), issuer=ca_name, key=server_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    key_path = tls_dir / "server.key"
    key_path.touch(mode=0o600)
    key_path.write_bytes(server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tls_dir / "server.pem").write_bytes(server.public_bytes(Encoding.PEM))
    (tls_dir / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(*, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
