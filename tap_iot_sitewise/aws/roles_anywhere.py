"""IAM Roles Anywhere: a certificate traded for temporary credentials."""

from __future__ import annotations

import datetime as dt
import json
import logging
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

import backoff
from botocore.credentials import DeferredRefreshableCredentials
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
from tap_iot_sitewise.aws.errors import explain, explain_session
from tap_iot_sitewise.aws.responses import (
    FIRST_ERROR_STATUS,
    TRANSIENT_STATUSES,
    decode,
    error_in,
    status_line,
)
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
    """Open a session whose credentials come from CreateSession, and renew themselves.

    Args:
        config: Settings, valid and without problems.

    Returns:
        A session in the Region of the trust anchor; nothing is called yet.

    Raises:
        SettingsError: The certificate went bad, or its files vanished, since they
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
        # A trust anchor is known in its own Region only, which need not be the one
        # whose SiteWise is read.
        region=config["trust_anchor_arn"].split(":")[3],
        profile_arn=config["profile_arn"],
        role_arn=config["role_arn"],
        trust_anchor_arn=config["trust_anchor_arn"],
        session_duration=config["session_duration"],
        role_session_name=config.get("session_name"),
    ).get_session()


class RolesAnywhereSession(IAMRolesAnywhereSession):
    """``iam-rolesanywhere-session`` with what it lacks, all of it here.

    Of version 3.0.0: it names the signature algorithm after the hash that the CA
    signed with; does not retry CreateSession; takes no notice of the proxy variables
    and of ``AWS_CA_BUNDLE``; waits for an answer without a bound of ours; keeps the
    private key's bytes; and takes the host of an endpoint rather than its URL.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        max_attempts: int,
        request_timeout: float,
        endpoint_url: str | None,
        **session: t.Any,  # noqa: ANN401 - whatever the base class takes
    ) -> None:
        """Prepare a session; nothing is called yet.

        Args:
            identity: Certificate, key and chain, checked.
            max_attempts: Tries of one CreateSession, the first included.
            request_timeout: Seconds that it may be silent.
            endpoint_url: Another endpoint than AWS's, https.
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
        # The signer holds the key from here on; the bytes are needed no more.
        self.private_key = b""
        self._session = _Http(
            verify=self.verify,
            proxies=get_environ_proxies(f"https://{self.endpoint}"),
            timeout=request_timeout,
        )
        self._max_attempts = max_attempts

    def get_refreshable_credentials(self) -> DeferredRefreshableCredentials:
        """Return credentials that fetch and renew themselves, trying again.

        Overrides the public method of the base class, whose credentials ask once.
        """
        fetch: Callable[[], IAMCredentials]
        fetch = super().get_refreshable_credentials()._refresh_using  # noqa: SLF001

        @backoff.on_exception(
            backoff.expo,
            (BotoConnectionError, HTTPClientError, CredentialsRetrievalError),
            factor=0.1,
            max_value=20,
            max_tries=self._max_attempts,
            giveup=lambda error: not _passing(error),
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
                raise explain(operation, error, attempts=self._max_attempts) from error

        return DeferredRefreshableCredentials(
            refresh_using=create_session_or_explain, method="custom-roles-anywhere"
        )


@dataclass(frozen=True)
class _Answer:
    """What the base class takes of an answer."""

    status_code: int
    text: str


class _Http(URLLib3Session):  # type: ignore[misc]  # botocore is untyped
    """Hands on of CreateSession's answers what is sound, and nothing else.

    ``iam-rolesanywhere-session`` 3.0.0 decodes a body as it comes: one that is not in
    UTF-8, or nested deep, or that holds something else than texts, ends the run with
    ``UnicodeDecodeError``, ``RecursionError`` or ``AttributeError``.
    """

    def send(self, request: t.Any) -> _Answer:  # noqa: ANN401
        answer = super().send(request)
        status, body = answer.status_code, answer.content
        if status >= FIRST_ERROR_STATUS:
            message = error_in(status, answer.headers, body)["Message"]
            # Without its message the base class quotes the body.
            sound = {"message": message or status_line(status)}
        else:
            sound = _credential_set(body)
        return _Answer(status, json.dumps(sound))


def _credential_set(body: bytes) -> dict[str, t.Any]:
    """Return what CreateSession answered, nothing where it is of no use."""
    try:
        given = decode(body)["credentialSet"][0]["credentials"]
        members = ("accessKeyId", "secretAccessKey", "sessionToken")
        credentials = {member: given[member] for member in members}
        expiration = parse_moment(given["expiration"])
    except (ValueError, TypeError, KeyError, IndexError):
        return {}
    # botocore looks at the time of expiry outside of the retries, and gives up where it
    # is over.
    credentials["expiration"] = expiration.isoformat()
    useful = all(isinstance(text, str) and text for text in credentials.values())
    if not useful or expiration <= dt.datetime.now(dt.timezone.utc):
        return {}
    return {"credentialSet": [{"credentials": credentials}]}


class _Signer(IAMRolesAnywhereSigner):
    """Names the algorithm as AWS knows it.

    IAM Roles Anywhere has AWS4-X509-RSA-SHA256 and AWS4-X509-ECDSA-SHA256, and the
    signature is made with SHA-256; the base class of version 3.0.0 puts the name of
    the CA's hash there, so that a certificate signed with SHA-384 is refused.
    """

    @property
    def algorithm(self) -> str:
        return f"AWS4-X509-{self.private_key_type}-SHA256"


def _pem(certificate: t.Any) -> bytes:  # noqa: ANN401
    encoded: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return encoded


def _passing(error: Exception) -> bool:
    """Return whether a failed CreateSession is worth another try."""
    if isinstance(error, CredentialsRetrievalError):
        # Below 300: an answer that holds no credentials.
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
