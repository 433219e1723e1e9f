"""The control plane's certificates and keys, made once for each folder.

All keys are P-256: an RSA key costs a tenth of a second, and five are needed before anything can start.
"""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVICE = "kubernetes.default.svc.cluster.local"
HOSTS = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", SERVICE)
ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")
LIFETIME = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    def exists(self) -> bool:
        return self.certificate.is_file() and self.key.is_file()


@dataclass(frozen=True)
class Certificates:
    """Every PEM file a control plane needs."""

    folder: Path

    @property
    def ca(self) -> Pair:
        return self._pair("ca")

    @property
    def server(self) -> Pair:
        """What the parts answer with on loopback."""
        return self._pair("server")

    @property
    def admin(self) -> Pair:
        """A client in `system:masters`."""
        return self._pair("admin")

    @property
    def kubelet_client(self) -> Pair:
        """What the API server shows to kubelets."""
        return self._pair("kubelet-client")

    @property
    def service_accounts(self) -> Pair:
        """The key that signs service-account tokens; its certificate holds the public half for the API server."""
        return self._pair("service-accounts")

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")


def ensure_certificates(folder: Path) -> Certificates:
    """Make what is missing in a folder; what is there stays, so that tokens and kubeconfigs outlive a restart."""
    certificates = Certificates(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not certificates.service_accounts.exists():
        _make_all(certificates)
    return certificates


def _make_all(certificates: Certificates) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("llmdash-test-ca")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    ca = ca.add_extension(_ca_usage(), True).add_extension(_subject_id(ca_key), False)
    _write(certificates.ca, ca.sign(ca_key, hashes.SHA256()), ca_key)
    subjects = (
        (certificates.server, _name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH),
        (certificates.admin, _name("admin", "system:masters"), ExtendedKeyUsageOID.CLIENT_AUTH),
        (certificates.kubelet_client, _name("kube-apiserver", "system:masters"), ExtendedKeyUsageOID.CLIENT_AUTH),
        (certificates.service_accounts, _name("service-accounts"), ExtendedKeyUsageOID.CLIENT_AUTH),
    )
    for pair, subject, usage in subjects:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _builder(subject, ca_name, key).add_extension(x509.ExtendedKeyUsage([usage]), False)
        leaf = leaf.add_extension(_issuer_id(ca_key), False).add_extension(_subject_id(key), False)
        if usage == ExtendedKeyUsageOID.SERVER_AUTH:
            leaf = leaf.add_extension(_alternative_names(), False)
        _write(pair, leaf.sign(ca_key, hashes.SHA256()), key)


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _subject_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _issuer_id(ca_key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    """Python refuses a chain without it from 3.13 on."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names() -> x509.SubjectAlternativeName:
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    return x509.SubjectAlternativeName([*map(x509.DNSName, HOSTS), *addresses])


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.touch(mode=0o600)
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
