"""IAM Roles Anywhere: temporary credentials for a client certificate."""

from __future__ import annotations

import datetime as dt
import json
import logging
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

import backoff
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError, SSLError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from cryptography.hazmat.primitives import serialization
from iam_rolesanywhere_session import (
    CredentialsRetrievalError,
    IAMCredentials,
    IAMRolesAnywhereSession,
    IAMRolesAnywhereSigner,
)

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws import certificates
from tap_iot_sitewise.aws.errors import explain
from tap_iot_sitewise.aws.renewal import RenewedCredentials
from tap_iot_sitewise.aws.responses import (
    FIRST_ERROR_STATUS,
    TRANSIENT_STATUSES,
    decode,
    error_in,
    status_line,
)
from tap_iot_sitewise.aws.sign_in_errors import explain_session
from tap_iot_sitewise.aws.tls import ca_bundle
from tap_iot_sitewise.dates import parse_moment
from tap_iot_sitewise.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from tap_iot_sitewise.aws.certificates import Identity
    from tap_iot_sitewise.settings import Config

logger = logging.getLogger("tap-iot-sitewise.roles_anywhere")


def open_session(config: Config) -> boto3.Session:
    """Open a session that gets and renews its credentials with CreateSession.

    Args:
        config: Valid settings.

    Returns:
        A session in the Region of the trust anchor. It sends no request yet.

    Raises:
        SettingsError: The certificate expired, or a file changed, after the settings
            were checked.
    """
    identity, found = certificates.load(config)
    if identity is None:
        raise SettingsError(found)
    return RolesAnywhereSession(
        identity,
        max_attempts=config["max_attempts"],
        request_timeout=float(config["request_timeout"]),
        endpoint_url=config.get("roles_anywhere_endpoint_url"),
        # A trust anchor exists only in its own Region, which can differ from
        # `aws_region`.
        region=config["trust_anchor_arn"].split(":")[3],
        profile_arn=config["profile_arn"],
        role_arn=config["role_arn"],
        trust_anchor_arn=config["trust_anchor_arn"],
        session_duration=config["session_duration"],
        role_session_name=config.get("session_name"),
    ).get_session()


class RolesAnywhereSession(IAMRolesAnywhereSession):
    """``iam-rolesanywhere-session`` with the fixes that the tap needs.

    Version 3.0.0 names the signature algorithm after the hash of the CA's signature,
    does not retry CreateSession, ignores the proxy variables and ``AWS_CA_BUNDLE``, has
    no setting for its timeout, keeps the bytes of the private key, and expects the host
    of an endpoint, not its URL.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        max_attempts: int,
        request_timeout: float,
        endpoint_url: str | None,
        **session: t.Any,  # noqa: ANN401 - arguments of the base class
    ) -> None:
        """Create a session. It sends no request yet.

        Args:
            identity: Valid certificate, key and chain.
            max_attempts: Maximum attempts of CreateSession, including the first.
            request_timeout: Seconds to wait for a connection or for data.
            endpoint_url: Custom https endpoint, or None for that of AWS.
            session: Arguments of the base class.
        """
        host = urlsplit(endpoint_url) if endpoint_url else None
        material: dict[str, t.Any] = {
            "certificate": _pem(identity.certificate),
            "certificate_chain": b"".join(map(_pem, identity.chain)) or None,
            "private_key": identity.private_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        }
        super().__init__(
            endpoint=(host.netloc + host.path.rstrip("/")) if host else None,
            verify=ca_bundle() or True,
            **material,
            **session,
        )
        self._request_signer = _Signer(region=self.region_name, **material)
        # The signer has the key. Nothing needs the bytes any more.
        self.private_key = b""
        self._session = _Http(
            verify=self.verify,
            proxies=get_environ_proxies(f"https://{self.endpoint}"),
            timeout=request_timeout,
        )
        self._max_attempts = max_attempts

    def get_refreshable_credentials(self) -> RenewedCredentials:
        """Return credentials that renew themselves and retry CreateSession.

        Overrides the public method of the base class, whose credentials do not retry.
        """
        fetch: Callable[[], IAMCredentials]
        fetch = super().get_refreshable_credentials()._refresh_using  # noqa: SLF001

        @backoff.on_exception(
            backoff.expo,
            (BotoConnectionError, HTTPClientError, CredentialsRetrievalError),
            factor=0.1,
            max_value=20,
            max_tries=self._max_attempts,
            giveup=lambda error: not _is_transient(error),
            on_backoff=_log_retry,
            logger=None,
        )
        def create_session() -> IAMCredentials:
            credentials = fetch()
            redaction.register(
                credentials[part] for part in ("access_key", "secret_key", "token")
            )
            return credentials

        def create_session_or_explain() -> IAMCredentials:
            try:
                return create_session()
            except CredentialsRetrievalError as error:
                raise explain_session(
                    error.status_code, error.message, attempts=self._max_attempts
                ) from error
            except (BotoConnectionError, HTTPClientError) as error:
                operation = "CreateSession"
                raise explain(
                    operation,
                    error,
                    attempts=self._max_attempts,
                    auth_method="roles_anywhere",
                ) from error

        return RenewedCredentials(
            create_session_or_explain,
            method="custom-roles-anywhere",
            lifetime=self.session_duration,
        )


@dataclass(frozen=True)
class _Answer:
    """The attributes of an answer that the base class reads."""

    status_code: int
    text: str


class _Http(URLLib3Session):  # type: ignore[misc]  # botocore is untyped
    """Passes only the valid parts of CreateSession's answers to the base class.

    ``iam-rolesanywhere-session`` 3.0.0 decodes every body without checks. If the body
    is not UTF-8, is deeply nested, or contains other types than text, the run ends with
    ``UnicodeDecodeError``, ``RecursionError`` or ``AttributeError``.
    """

    def send(self, request: t.Any) -> _Answer:  # noqa: ANN401
        answer = super().send(request)
        status, body = answer.status_code, answer.content
        if status >= FIRST_ERROR_STATUS:
            message = error_in(status, answer.headers, body)["Message"]
            # Without a message, the base class quotes the body.
            sound = {"message": message or status_line(status)}
        else:
            sound = _credential_set(body)
        return _Answer(status, json.dumps(sound))


def _credential_set(body: bytes) -> dict[str, t.Any]:
    """Return the credentials in an answer of CreateSession, or {} if not valid."""
    try:
        given = decode(body)["credentialSet"][0]["credentials"]
        members = ("accessKeyId", "secretAccessKey", "sessionToken")
        credentials = {member: given[member] for member in members}
        expiration = parse_moment(given["expiration"])
    except (ValueError, TypeError, KeyError, IndexError):
        return {}
    # botocore checks the expiration outside of the retries, and does not retry expired
    # credentials.
    credentials["expiration"] = expiration.isoformat()
    useful = all(isinstance(text, str) and text for text in credentials.values())
    if not useful or expiration <= dt.datetime.now(dt.timezone.utc):
        return {}
    return {"credentialSet": [{"credentials": credentials}]}


class _Signer(IAMRolesAnywhereSigner):
    """Names the signature algorithm like AWS.

    IAM Roles Anywhere supports AWS4-X509-RSA-SHA256 and AWS4-X509-ECDSA-SHA256, and the
    signature uses SHA-256. The base class (version 3.0.0) names the hash of the CA's
    signature instead, so AWS refuses a certificate that is signed with SHA-384.
    """

    @property
    def algorithm(self) -> str:
        return f"AWS4-X509-{self.private_key_type}-SHA256"


def _pem(certificate: t.Any) -> bytes:  # noqa: ANN401
    encoded: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return encoded


def _is_transient(error: Exception) -> bool:
    """Return whether a failed CreateSession is retried."""
    if isinstance(error, CredentialsRetrievalError):
        # Below 300: an answer without valid credentials.
        status = error.status_code
        return status < FIRST_ERROR_STATUS or status in TRANSIENT_STATUSES
    return not (isinstance(error, SSLError) and "CERTIFICATE_VERIFY" in str(error))


def _log_retry(details: t.Any) -> None:  # noqa: ANN401 - backoff's own dictionary
    logger.debug(
        "CreateSession: attempt %s failed (%s), next in %.2f s",
        details["tries"],
        type(details["exception"]).__name__,
        details["wait"],
    )
