"""Check that a client certificate has a valid chain to the trust anchor.

The rules are those of "Signature verification" and "Trust model" in the IAM Roles
Anywhere User Guide: version 3; an end entity that is not a CA and may sign; a complete
chain of at most five certificates; all valid now.
"""

from __future__ import annotations

import base64
import binascii
import typing as t

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from emulator import errors

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

LONGEST_CHAIN = 5


def from_header(value: str) -> x509.Certificate:
    """Parse a certificate from a header ``X-Amz-X509``: DER in base64.

    Raises:
        ApiError: It is not a certificate.
    """
    try:
        return x509.load_der_x509_certificate(
            base64.b64decode(value.strip(), validate=True)
        )
    except (binascii.Error, ValueError):
        msg = "Untrusted certificate. Malformed certificate"
        raise errors.access_denied(msg) from None


def check(
    leaf: x509.Certificate,
    chain: Sequence[x509.Certificate],
    anchor: x509.Certificate,
    now: datetime,
) -> None:
    """Refuse a certificate without a valid chain to the trust anchor.

    Args:
        leaf: The end entity's certificate.
        chain: The other certificates in the request, in any order.
        anchor: The trust anchor's certificate.
        now: The emulator's time, with a time zone.

    Raises:
        ApiError: IAM Roles Anywhere answers with this error.
    """
    _check_leaf(leaf)
    _check_dates(leaf, now)
    current = leaf
    rest = list(chain)
    for _ in range(LONGEST_CHAIN):
        if _issued(current, anchor):
            _check_dates(anchor, now)
            return
        issuer = next(
            (candidate for candidate in rest if _issued(current, candidate)), None
        )
        if issuer is None or not _is_authority(issuer):
            break
        _check_dates(issuer, now)
        rest.remove(issuer)
        current = issuer
    msg = "Untrusted Signing Certificate"
    raise errors.access_denied(msg)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(
            x509.BasicConstraints
        )
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return False
    return usage.value.digital_signature


def _check_leaf(leaf: x509.Certificate) -> None:
    if (
        leaf.version is not x509.Version.v3
        or _is_authority(leaf)
        or not _may_sign(leaf)
    ):
        msg = "Untrusted certificate. Insufficient certificate"
        raise errors.access_denied(msg)


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        msg = "Untrusted certificate. Expired certificate"
        raise errors.access_denied(msg)
    if now < certificate.not_valid_before_utc:
        msg = "Untrusted certificate. Certificate not yet valid"
        raise errors.access_denied(msg)
