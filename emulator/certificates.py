"""Client certificates with their keys, in all usual formats."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

if t.TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KeyKind = t.Literal["ec", "rsa"]
PASSPHRASE = "emulator"  # noqa: S105 - of test keys, documented
"""Passphrase of the files that ``ClientCertificate.write`` encrypts by default."""


@functools.cache
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    """Return the RSA key with a number. It is cached: generating one is slow."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_key(kind: KeyKind, *, number: int = 0) -> Key:
    """Return a private key.

    Args:
        kind: ``ec`` (P-256) or ``rsa`` (2048 bits).
        number: Selects an RSA key. In one process, the same number gives the same key.
            EC keys are always new.
    """
    return (
        _rsa_key(number) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    )


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class CertificateFiles:
    """Paths of the files of a client certificate."""

    certificate: Path
    private_key: Path
    chain: Path | None
    encrypted_private_key: Path
    pkcs12: Path
    bundle: Path


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its key and its chain.

    Args:
        x509_certificate: The certificate.
        key: Its private key.
        parents: The chain, from the issuer up, without the root.
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
        """The chain as PEM; empty if there are no intermediates."""
        return b"".join(map(pem, self.parents))

    @property
    def bundle(self) -> bytes:
        """The certificate followed by its chain, as PEM."""
        return self.certificate + self.chain

    @property
    def private_key(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM (``BEGIN PRIVATE KEY``)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def traditional_private_key(self) -> bytes:
        """The key as OpenSSL's older PEM, such as ``BEGIN RSA PRIVATE KEY``."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def encrypted_private_key(self, passphrase: str) -> bytes:
        """Return the key as encrypted PKCS#8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )

    def pkcs12(self, passphrase: str | None, *, with_key: bool = True) -> bytes:
        """Return certificate, chain and key as PKCS#12.

        Args:
            passphrase: The passphrase; None for no encryption.
            with_key: Whether to include the key.
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
        """Write all formats to a directory. Only the owner can read the files.

        Args:
            directory: The directory. It is created if necessary.
            passphrase: Passphrase of the encrypted key and the PKCS#12 file.
        """
        directory.mkdir(parents=True, exist_ok=True)

        def file(name: str, content: bytes) -> Path:
            path = directory / name
            path.touch(mode=0o600)
            path.chmod(0o600)
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
