"""Loads and checks the client certificate of IAM Roles Anywhere.

The tap finds every problem here, before any call: for a certificate that is expired or
does not match its key, the answer of AWS is little more than "access denied".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config

    PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_PEM_MARK = "-----BEGIN "
_PKCS12_SUFFIXES = (".p12", ".pfx")
_UNSUPPORTED = "IAM Roles Anywhere does not support this type of key, use RSA or EC"


class _ProblemError(ValueError):
    """A problem of one setting. The text begins with the name of the setting."""


@dataclass(frozen=True)
class Identity:
    """A valid certificate with its private key.

    Args:
        certificate: The client's certificate.
        private_key: The private key of the certificate, RSA or EC.
        chain: Certificates between the client's and the trust anchor; can be empty.
    """

    certificate: x509.Certificate
    private_key: PrivateKey
    chain: tuple[x509.Certificate, ...]


SETTINGS = (
    "client_certificate",
    "private_key",
    "certificate_chain",
    "private_key_passphrase",
)


def are_named(config: Config) -> bool:
    """Return whether the settings name a certificate and are all texts."""
    return bool(config.get("client_certificate")) and all(
        isinstance(config.get(name, ""), str) for name in SETTINGS
    )


def load(config: Config) -> tuple[Identity | None, list[str]]:
    """Load the certificate and the key that the settings name.

    Args:
        config: Settings: client_certificate, private_key, certificate_chain and
            private_key_passphrase.

    Returns:
        The identity, or None and a clause for each problem. No clause contains a
        secret.
    """
    problems: list[str] = []
    key, certificates = _key_and_certificates(config, problems)
    chain = certificates[1:]
    if config.get("certificate_chain"):
        with _noting(problems):
            material = _read("certificate_chain", config)
            chain += _certificates("certificate_chain", material)
    if certificates:
        problems.extend(_validity_problems(certificates[0]))
    if certificates and key is not None and not _match(certificates[0], key):
        problems.append(
            "private_key matches a later certificate, not the first one; put the "
            "client's certificate first"
            if any(_match(other, key) for other in chain)
            else "private_key does not match client_certificate"
        )
    if problems or key is None:
        return None, problems
    leaf = certificates[0]
    return Identity(leaf, key, tuple(c for c in chain if c != leaf)), []


@contextlib.contextmanager
def _noting(problems: list[str]) -> Iterator[None]:
    """Collect a problem and continue, so that one error reports all problems."""
    try:
        yield
    except _ProblemError as problem:
        problems.append(str(problem))


def _key_and_certificates(
    config: Config, problems: list[str]
) -> tuple[PrivateKey | None, list[x509.Certificate]]:
    passphrase = config.get("private_key_passphrase")
    key: PrivateKey | None = None
    certificates: list[x509.Certificate] = []
    with _noting(problems):
        material = _read("client_certificate", config)
        if _is_pkcs12(material, config):
            return _pkcs12(material, passphrase)
        certificates = _certificates("client_certificate", material)
    named = config["client_certificate"].lower().endswith(_PKCS12_SUFFIXES)
    if named and not certificates:
        # The problem of an unreadable PKCS#12 file is enough; it needs no private_key.
        return None, []
    if not config.get("private_key"):
        problems.append(
            "private_key is missing: a client_certificate in PEM format needs it"
        )
    else:
        with _noting(problems):
            key = _private_key(_read("private_key", config), passphrase)
    return key, certificates


def _read(name: str, config: Config) -> bytes:
    """Return a setting's PEM text, or the content of the file that it names."""
    value: str = config[name]
    if _PEM_MARK in value:
        # Some .env files and secret stores replace line breaks with \n.
        return _as_given(value.replace("\\n", "\n"))
    try:
        content = Path(value).expanduser().read_bytes()
    except RuntimeError:
        # ~user without such a user, or ~ without a home directory.
        reason = "the home directory is unknown"
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL in it.
        reason = (
            "no such file"
            if isinstance(error, FileNotFoundError)
            else getattr(error, "strerror", None) or "not a valid path"
        )
    else:
        reason = ""
    if reason:
        msg = f"{name}: cannot read the file that it names ({reason})"
        raise _ProblemError(msg)
    if not content.strip():
        msg = f"{name}: the file that it names is empty"
        raise _ProblemError(msg)
    return content


def _as_given(text: str) -> bytes:
    """Return the bytes of a setting, even if those of its variable are not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _is_pkcs12(material: bytes, config: Config) -> bool:
    named = config["client_certificate"].lower().endswith(_PKCS12_SUFFIXES)
    return named and _PEM_MARK.encode() not in material


def _pkcs12(
    material: bytes, passphrase: str | None
) -> tuple[PrivateKey, list[x509.Certificate]]:
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(
            material, _as_given(passphrase) if passphrase else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # OpenSSL reports the same error for a wrong passphrase and for another format.
        what = "is wrong" if passphrase else "is missing"
        msg = (
            f"private_key_passphrase {what}, or client_certificate is not a PKCS#12 "
            "file"
        )
        raise _ProblemError(msg) from None
    # Without a key, cryptography does not return a leaf either.
    if key is None:
        msg = "client_certificate: the PKCS#12 file contains no private key"
        raise _ProblemError(msg)
    if leaf is None:
        msg = "client_certificate: the PKCS#12 file contains no certificate for its key"
        raise _ProblemError(msg)
    return _supported(key, "client_certificate"), [leaf, *others]


def _certificates(name: str, material: bytes) -> list[x509.Certificate]:
    if _PEM_MARK.encode() not in material:
        msg = f"{name} is not in PEM format"
        raise _ProblemError(msg)
    try:
        return x509.load_pem_x509_certificates(material)
    except ValueError:
        msg = f"{name} contains no valid certificate"
        raise _ProblemError(msg) from None


def _private_key(material: bytes, passphrase: str | None) -> PrivateKey:
    if _PEM_MARK.encode() not in material:
        msg = "private_key is not in PEM format"
        raise _ProblemError(msg)
    # The file can contain the certificate in addition to the key.
    start = material.find(b"-----BEGIN", material.find(b"PRIVATE KEY") - 32)
    secret = _as_given(passphrase) if passphrase else None
    try:
        try:
            key = serialization.load_pem_private_key(material[max(start, 0) :], secret)
        except TypeError:
            if secret is None:
                msg = "private_key_passphrase is missing: private_key is encrypted"
                raise _ProblemError(msg) from None
            # The key is not encrypted: ignore the passphrase.
            key = serialization.load_pem_private_key(material[max(start, 0) :], None)
    except UnsupportedAlgorithm:
        msg = f"private_key: {_UNSUPPORTED}"
        raise _ProblemError(msg) from None
    except ValueError as error:
        if isinstance(error, _ProblemError):
            raise
        encrypted = b"ENCRYPTED" in material
        msg = (
            "private_key_passphrase is wrong: it does not decrypt private_key"
            if encrypted and secret
            else "private_key contains no valid key"
        )
        raise _ProblemError(msg) from None
    return _supported(key, "private_key")


def _supported(key: object, name: str) -> PrivateKey:
    if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        return key
    msg = f"{name}: {_UNSUPPORTED}"
    raise _ProblemError(msg)


def _match(certificate: x509.Certificate, key: PrivateKey) -> bool:
    form = (
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    certified = certificate.public_key().public_bytes(*form)
    return certified == key.public_key().public_bytes(*form)


def _validity_problems(certificate: x509.Certificate) -> Iterator[str]:
    now = dt.datetime.now(dt.timezone.utc)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if last < now:
        expired = f"client_certificate expired on {last:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{expired}; issue a new certificate"
    if first > now:
        yield f"client_certificate is not valid before {first:%Y-%m-%d %H:%M:%S} UTC"
