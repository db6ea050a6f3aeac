"""Making certificate authorities, server and client certificates on the fly."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KeyKind = Literal["ec", "rsa"]
HashName = Literal["sha256", "sha384", "sha512"]
_HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_A_DAY = timedelta(days=1)
PASSPHRASE = "emulator"  # noqa: S105 - of throw-away keys, and in the docs
"""Of what `ClientCertificate.write` encrypts when it is told no other."""


@functools.cache
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    """RSA keys take long to make, so that the same few serve a whole process."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_key(kind: KeyKind, *, number: int = 0) -> Key:
    """A private key: P-256 for `ec`, 2048 bits for `rsa`.

    Args:
        kind: `ec` or `rsa`.
        number: which of the process's RSA keys; EC keys are always new.
    """
    return (
        _rsa_key(number) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    )


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


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


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its certificate, its key, and how it came to be trusted.

    Attributes:
        certificate: its own.
        key: what it signs with.
        parents: the certificates from its own up to the root, without the root; empty
            for a root.
    """

    certificate: x509.Certificate
    key: Key
    parents: tuple[x509.Certificate, ...] = ()

    @classmethod
    def root(cls, name: str, *, kind: KeyKind = "ec") -> Authority:
        """A new root of that common name."""
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
                datetime.now(timezone.utc) - _A_DAY,
                datetime.now(timezone.utc) + 3650 * _A_DAY,
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
        """A new authority below this one.

        Args:
            name: its common name.
            kind: of its key.
            hash_name: what this authority signs with.
            authority: False for one whose certificate denies that it is an authority.
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
                datetime.now(timezone.utc) - _A_DAY,
                datetime.now(timezone.utc) + 1825 * _A_DAY,
            ),
            hash_name=hash_name,
        )
        return Authority(certificate, key, (certificate, *self.parents))

    def server(
        self, hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    ) -> ClientCertificate:
        """A certificate for a TLS server of these names and addresses."""
        names: list[x509.GeneralName] = []
        for host in hosts:
            if host.replace(".", "").isdigit():
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            else:
                names.append(x509.DNSName(host))
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
        """A certificate for a workload.

        Args:
            name: its common name.
            kind: of its key.
            hash_name: what this authority signs with.
            not_before: since when it is valid; a day ago when None.
            not_after: until when it is valid; in a year when None.
            digital_signature: whether its key usage allows signatures, which IAM Roles
                Anywhere asks for.
            authority: True for a leaf that says it is an authority, which IAM Roles
                Anywhere refuses.
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
                not_before or datetime.now(timezone.utc) - _A_DAY,
                not_after or datetime.now(timezone.utc) + 365 * _A_DAY,
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
            lifetime=lifetime or (now - _A_DAY, now + 365 * _A_DAY),
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


@dataclass(frozen=True)
class CertificateFiles:
    """Where the parts of a client certificate were written."""

    certificate: Path
    private_key: Path
    chain: Path | None
    encrypted_private_key: Path
    pkcs12: Path
    bundle: Path


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its key and its chain, in every form that one gets them in.

    Attributes:
        x509_certificate: the certificate itself.
        key: its private key.
        parents: the intermediates, the issuer first; without the root.
    """

    x509_certificate: x509.Certificate
    key: Key
    parents: tuple[x509.Certificate, ...] = ()

    @property
    def certificate(self) -> bytes:
        """The certificate as PEM."""
        return pem(self.x509_certificate)

    @property
    def chain(self) -> bytes:
        """The intermediates as PEM, one after the other; empty when there are none."""
        return b"".join(map(pem, self.parents))

    @property
    def bundle(self) -> bytes:
        """The certificate followed by its chain, as PEM."""
        return self.certificate + self.chain

    @property
    def private_key(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM (`BEGIN PRIVATE KEY`)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def traditional_private_key(self) -> bytes:
        """The key in OpenSSL's older PEM form: `BEGIN RSA PRIVATE KEY` or `EC`."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def encrypted_private_key(self, passphrase: str) -> bytes:
        """The key as encrypted PKCS#8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )

    def pkcs12(self, passphrase: str | None, *, with_key: bool = True) -> bytes:
        """Certificate, chain and key as PKCS#12.

        Args:
            passphrase: None for an unencrypted file.
            with_key: False leaves the key out.
        """
        encryption: serialization.KeySerializationEncryption
        if passphrase is None:
            encryption = serialization.NoEncryption()
        else:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(
            b"tap-iot-sitewise",
            self.key if with_key else None,
            self.x509_certificate,
            list(self.parents) or None,
            encryption,
        )

    def write(self, directory: Path, passphrase: str = PASSPHRASE) -> CertificateFiles:
        """Write everything into a directory, keys readable by their owner only.

        Args:
            directory: made when missing.
            passphrase: of the encrypted key and the PKCS#12 file.
        """
        directory.mkdir(parents=True, exist_ok=True)

        def file(name: str, content: bytes) -> Path:
            path = directory / name
            path.touch(mode=0o600)
            path.write_bytes(content)
            return path

        return CertificateFiles(
            certificate=file("client.pem", self.certificate),
            private_key=file("client.key", self.private_key),
            chain=file("chain.pem", self.chain) if self.parents else None,
            encrypted_private_key=file(
                "client-encrypted.key",
                self.encrypted_private_key(passphrase),
            ),
            pkcs12=file("client.p12", self.pkcs12(passphrase)),
            bundle=file("client-bundle.pem", self.bundle),
        )
