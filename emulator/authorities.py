"""Certificate authorities (CAs), generated on demand."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulator.certificates import ClientCertificate, make_key

if t.TYPE_CHECKING:
    from emulator.certificates import Key, KeyKind

HashName = t.Literal["sha256", "sha384", "sha512"]
_HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DAY = timedelta(days=1)


def _key_usage(*, digital_signature: bool, certificate_signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_signing,
        crl_sign=certificate_signing,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass(frozen=True)
class Authority:
    """A certificate authority (CA).

    Args:
        certificate: Its certificate.
        key: The private key that it signs with.
        parents: The chain from its certificate up to the root, without the root; empty
            for a root CA.
    """

    certificate: x509.Certificate
    key: Key
    parents: tuple[x509.Certificate, ...] = ()

    @classmethod
    def root(cls, name: str, *, kind: KeyKind = "ec") -> Authority:
        """Generate a root CA with this common name and kind of key."""
        key = make_key(kind, number=1)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = _sign(
            subject,
            key,
            subject,
            key,
            extensions=(
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (_key_usage(digital_signature=False, certificate_signing=True), True),
            ),
            lifetime=(
                datetime.now(timezone.utc) - _DAY,
                datetime.now(timezone.utc) + 3650 * _DAY,
            ),
        )
        return cls(certificate, key)

    def intermediate(
        self,
        name: str,
        *,
        kind: KeyKind = "ec",
        hash_name: HashName = "sha256",
        authority: bool = True,
    ) -> Authority:
        """Generate an intermediate CA, with a certificate that this CA signs.

        Args:
            name: Its common name.
            kind: Kind of its key.
            hash_name: The hash algorithm of the signature.
            authority: Whether its certificate is marked as a CA.
        """
        key = make_key(kind, number=2)
        certificate = _sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key,
            self.certificate.subject,
            self.key,
            extensions=(
                (x509.BasicConstraints(ca=authority, path_length=None), True),
                (_key_usage(digital_signature=False, certificate_signing=True), True),
            ),
            lifetime=(
                datetime.now(timezone.utc) - _DAY,
                datetime.now(timezone.utc) + 1825 * _DAY,
            ),
            hash_name=hash_name,
        )
        return Authority(certificate, key, (certificate, *self.parents))

    def server(
        self, hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    ) -> ClientCertificate:
        """Issue a certificate for a TLS server with these names and addresses."""
        names = [_general_name(host) for host in hosts]
        return self._leaf(
            hosts[0],
            make_key("ec"),
            extensions=(
                (x509.SubjectAlternativeName(names), False),
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ),
        )

    def client(  # noqa: PLR0913 - each is one property of the certificate
        self,
        name: str = "tap-iot-sitewise",
        *,
        kind: KeyKind = "ec",
        hash_name: HashName = "sha256",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        digital_signature: bool = True,
        authority: bool = False,
    ) -> ClientCertificate:
        """Issue a client certificate.

        Args:
            name: Its common name.
            kind: Kind of its key.
            hash_name: The hash algorithm of the signature.
            not_before: The start of its validity; a day ago when None.
            not_after: The end of its validity; in a year when None.
            digital_signature: Whether its key usage allows signatures. IAM Roles
                Anywhere requires this.
            authority: Whether it is marked as a CA. IAM Roles Anywhere refuses it then.
        """
        usage = _key_usage(
            digital_signature=digital_signature, certificate_signing=authority
        )
        return self._leaf(
            name,
            make_key(kind),
            extensions=(
                (x509.BasicConstraints(ca=authority, path_length=None), True),
                (usage, True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            ),
            hash_name=hash_name,
            lifetime=(
                not_before or datetime.now(timezone.utc) - _DAY,
                not_after or datetime.now(timezone.utc) + 365 * _DAY,
            ),
        )

    def _leaf(
        self,
        name: str,
        key: Key,
        *,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...],
        lifetime: tuple[datetime, datetime] | None = None,
        hash_name: HashName = "sha256",
    ) -> ClientCertificate:
        now = datetime.now(timezone.utc)
        certificate = _sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key,
            self.certificate.subject,
            self.key,
            extensions=extensions,
            lifetime=lifetime or (now - _DAY, now + 365 * _DAY),
            hash_name=hash_name,
        )
        return ClientCertificate(certificate, key, self.parents)


def _sign(  # noqa: PLR0913 - the parts of a certificate
    subject: x509.Name,
    key: Key,
    issuer: x509.Name,
    issuer_key: Key,
    *,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...],
    lifetime: tuple[datetime, datetime],
    hash_name: HashName = "sha256",
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(lifetime[0])
        .not_valid_after(lifetime[1])
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, _HASHES[hash_name])
