"""STS AssumeRole: temporary credentials of a role, for example of another account."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import boto3
import botocore.session
from botocore.config import Config as BotoConfig
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    create_assume_role_refresher,
)
from botocore.exceptions import NoCredentialsError
from botocore.parsers import create_parser

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws.client import mask_credentials
from tap_iot_sitewise.aws.errors import explain
from tap_iot_sitewise.aws.renewal import RenewedCredentials
from tap_iot_sitewise.aws.responses import (
    BROKEN_PAGE,
    FIRST_ERROR_STATUS,
    as_line,
    error_in,
)
from tap_iot_sitewise.aws.retries import retry_without_quota
from tap_iot_sitewise.aws.sign_in_errors import explain_assume_role
from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_iot_sitewise.settings import Config

_SERVICE = "sts"
_SOURCE = "auth_method"
_SESSION_NAME = "tap-iot-sitewise"

_SECRETS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
_ERROR = ("Code", "Message")
_USABLE = re.compile("[!-~]+")
"""What a header can contain: the keys are sent in headers."""

_parser = create_parser("query")


def assume_role(source: boto3.Session, config: Config) -> boto3.Session:
    """Open a session that gets and renews its credentials with AssumeRole.

    Args:
        source: Session with the credentials that may assume the role.
        config: Valid settings with ``assume_role_arn``.

    Returns:
        A session in ``aws_region``. It sends no request yet.

    Raises:
        NoCredentialsError: The source has no credentials.
    """
    credentials = source.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    external_id = config.get("assume_role_external_id")
    parameters = {
        "RoleArn": config["assume_role_arn"],
        "RoleSessionName": config.get("session_name") or _SESSION_NAME,
        "DurationSeconds": config["session_duration"],
        **({"ExternalId": external_id} if external_id else {}),
    }
    refresh = create_assume_role_refresher(_Sts(source, config), parameters)

    def fetch() -> dict[str, t.Any]:
        try:
            # Before the call: an error of the source is not one of AssumeRole.
            credentials.get_frozen_credentials()
        except TapError:
            raise
        except Exception as error:
            # From boto3's own chain, whose credentials can be those of a role, too.
            raise explain(
                _SOURCE,
                error,
                attempts=config["max_attempts"],
                auth_method=config["auth_method"],
            ) from error
        fetched: dict[str, t.Any] = refresh()
        return fetched

    renewed = RenewedCredentials(fetch, "assume-role", config["session_duration"])
    # Other values of the profile, such as its CA bundle, stay valid.
    default = config["auth_method"] == "default"
    profile = config.get("aws_profile") if default else None
    session = botocore.session.Session(profile=profile or None)
    session.register_component(
        "credential_provider", CredentialResolver([_Provider(renewed)])
    )
    return boto3.Session(botocore_session=session, region_name=config["aws_region"])


class _Provider(CredentialProvider):  # type: ignore[misc]  # botocore is untyped
    """The only source of credentials of a session."""

    METHOD = "assume-role"

    def __init__(self, credentials: RenewedCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> RenewedCredentials:
        return self._credentials


class _Sts:
    """The client of STS. Its errors are those of the tap."""

    def __init__(self, source: boto3.Session, config: Config) -> None:
        self._attempts: int = config["max_attempts"]
        self._auth_method: str = config["auth_method"]
        timeout = float(config["request_timeout"])
        self._client = source.client(
            _SERVICE,
            region_name=config["aws_region"],
            endpoint_url=config.get("sts_endpoint_url"),
            config=BotoConfig(
                connect_timeout=timeout,
                read_timeout=timeout,
                retries={"mode": "standard", "total_max_attempts": self._attempts},
            ),
        )
        events = self._client.meta.events
        events.register(f"before-parse.{_SERVICE}", _read_answer)
        events.register(f"before-send.{_SERVICE}", mask_credentials)
        retry_without_quota(
            self._client,
            _SERVICE,
            self._attempts,
            renewable=hasattr(source.get_credentials(), "refresh_needed"),
        )

    def assume_role(self, **parameters: t.Any) -> dict[str, t.Any]:  # noqa: ANN401
        """Call AssumeRole.

        Args:
            parameters: Parameters of the operation.

        Raises:
            TapError: The call failed after all attempts.
        """
        try:
            answer: dict[str, t.Any] = self._client.assume_role(**parameters)
        except Exception as error:
            raise explain_assume_role(
                error,
                attempts=self._attempts,
                auth_method=self._auth_method,
                external_id="ExternalId" in parameters,
            ) from error
        if "Error" in answer:
            msg = (
                f"AssumeRole: {answer['Error']['Message']}, even after "
                f"{self._attempts} attempts; check the proxy or gateway between this "
                "machine and AWS, and set this machine's clock"
            )
            raise TapError(msg)
        redaction.register(answer["Credentials"][name] for name in _SECRETS)
        return answer


def _read_answer(
    operation_model: t.Any,  # noqa: ANN401
    response_dict: dict[str, t.Any],
    customized_response_dict: dict[str, t.Any],
    **_: object,
) -> None:
    """Parse an answer instead of botocore (event ``before-parse``).

    botocore 1.44 ends the call with ``ResponseParserError`` or ``KeyError`` if the body
    is not the XML that it expects, for example a page of a proxy with status 503. Here,
    that is an error of the answer's status, and retried if the status is.
    """
    status, body = response_dict["status_code"], response_dict["body"]
    try:
        parsed = _parser.parse(response_dict, operation_model.output_shape)
    except Exception:  # noqa: BLE001 - anything, because the body can be anything
        parsed = {}
    if status >= FIRST_ERROR_STATUS:
        response_dict["body"] = b"<ErrorResponse><Error/></ErrorResponse>"
        error = parsed.get("Error")
        found: Mapping[t.Any, str]
        if isinstance(error, dict) and error.get("Code") not in {None, "", str(status)}:
            found = {name: as_line(error.get(name) or "") for name in _ERROR}
        else:
            found = error_in(status, response_dict["headers"], body)
        customized_response_dict["Error"] = found
        return
    name = operation_model.name
    response_dict["body"] = f"<R><{name}Result/></R>".encode()
    if _is_usable(parsed.get("Credentials")):
        customized_response_dict.update(parsed)
        return
    customized_response_dict["Error"] = {
        "Code": BROKEN_PAGE,
        "Message": "the answer was cut short or has no valid credentials",
    }


def _is_usable(credentials: t.Any) -> bool:  # noqa: ANN401
    """Return whether credentials are complete and have not expired."""
    if not isinstance(credentials, dict):
        return False
    expiration = credentials.get("Expiration")
    texts = (credentials.get(name) for name in _SECRETS)
    return (
        all(isinstance(text, str) and _USABLE.fullmatch(text) for text in texts)
        and isinstance(expiration, dt.datetime)
        and expiration.tzinfo is not None
        and expiration > dt.datetime.now(dt.timezone.utc)
    )
