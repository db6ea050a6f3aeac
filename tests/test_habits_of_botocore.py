"""Habits of botocore that `tap_iot_sitewise.aws` works around or relies on.

Each test fails once botocore changes the habit. The docstring of
`tap_iot_sitewise/aws/__init__.py` names the workaround that can go then, or that has to
follow.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import typing as t

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
    create_assume_role_refresher,
)
from botocore.exceptions import ClientError, SSLError
from botocore.httpsession import ProxyConfiguration, mask_proxy_url
from botocore.parsers import ResponseParserError, create_parser
from botocore.retries.adaptive import ClientRateLimiter, register_retry_handler
from botocore.retries.standard import (
    RetryContext,
    StandardRetryConditions,
    TransientRetryableChecker,
)

from tests.answering import answering

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATIN_1 = "<html>Störung</html>".encode("latin-1")
PAGE = b'{"portalSummaries": []}'


def client(endpoint_url: str, **options: t.Any) -> t.Any:  # noqa: ANN401
    """A plain client of SiteWise."""
    return boto3.Session(
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",  # noqa: S106 - opens nothing
        aws_session_token="a-session-token",  # noqa: S106 - as above
        region_name="eu-west-1",
    ).client(
        "iotsitewise",
        endpoint_url=endpoint_url,
        config=Config(inject_host_prefix=False, **options),
    )


@pytest.fixture
def plain_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log without the redaction that a test before may have installed."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    yield caplog
    logging.setLogRecordFactory(factory)


class Body:
    """The raw side of an answer, as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def answer(status: int, body: bytes) -> t.Any:  # noqa: ANN401 - botocore is untyped
    return AWSResponse("https://example.com/", status, HTTPHeaders(), Body(body))


# Answers


@pytest.mark.parametrize("body", [b"<html>", b'{"portalSummaries": [{"id"'])
def test_botocore_takes_a_body_that_is_not_json_for_an_empty_answer(
    body: bytes,
) -> None:
    with answering(lambda: body) as url:
        answered = client(url).list_portals()

    assert list(answered) == ["ResponseMetadata"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\xe4" + LATIN_1, UnicodeDecodeError),
        (b"[1]", AttributeError),
        (b"null", AttributeError),
        (b"[" * 100_000, RecursionError),
    ],
)
def test_botocores_parser_fails_at_an_error_that_is_not_an_object_in_utf_8(
    body: bytes, error: type[Exception]
) -> None:
    response = {"status_code": 502, "headers": {}, "body": body}

    with pytest.raises(error):
        create_parser("rest-json").parse(response, None)


def test_botocores_parser_takes_status_300_for_a_success() -> None:
    with (
        answering(lambda: b'{"message": "moved"}', status=300) as url,
        pytest.raises(ClientError) as failure,
    ):
        client(url).list_portals()

    assert "Error" not in failure.value.response


def test_botocore_puts_what_a_handler_gives_into_the_answer() -> None:
    seen: dict[str, t.Any] = {}

    def before_send(request: t.Any, **_: object) -> None:  # noqa: ANN401
        seen["headers"] = request.headers

    def before_parse(
        operation_model: t.Any,  # noqa: ANN401
        response_dict: dict[str, t.Any],
        customized_response_dict: dict[str, t.Any],
        **_: object,
    ) -> None:
        seen["operation"] = operation_model.name
        seen["answer"] = response_dict["status_code"], response_dict["body"]
        customized_response_dict["portalSummaries"] = ["from the handler"]

    with answering(lambda: PAGE) as url:
        plain = client(url)
        plain.meta.events.register("before-send.iotsitewise", before_send)
        plain.meta.events.register("before-parse.iotsitewise", before_parse)
        answered = plain.list_portals()

    assert b"Credential=AKIAEXAMPLE/" in seen["headers"]["Authorization"]
    assert seen["headers"]["X-Amz-Security-Token"] == b"a-session-token"
    assert seen["operation"] == "ListPortals"
    assert seen["answer"] == (200, PAGE)
    assert answered["portalSummaries"] == ["from the handler"]


def test_botocore_has_no_paginator_for_batch_operations() -> None:
    plain = client("http://127.0.0.1:1")

    assert plain.can_paginate("list_portals")
    assert not plain.can_paginate("batch_get_asset_property_value_history")


# Retries


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_botocore_shares_a_budget_of_retries_among_requests(mode: str) -> None:
    retries = {"mode": mode, "total_max_attempts": 4}
    with answering(lambda: b"{}", status=503) as url:
        plain = client(url, retries=retries)
        spent = []
        for _ in range(12):
            with pytest.raises(ClientError) as failure:
                plain.list_portals()
            spent.append(failure.value.response["ResponseMetadata"]["RetryAttempts"])

    # 500 points, 14 for a retry.
    assert spent == [*11 * [3], 2]


def test_botocore_registers_its_retries_under_a_name_of_the_service() -> None:
    asked: list[bytes] = []
    with answering(lambda: b"{}", status=503, asked=asked) as url:
        plain = client(url, retries={"mode": "adaptive", "total_max_attempts": 4})
        plain.meta.events.unregister(
            "needs-retry.iotsitewise", unique_id="retry-config-iotsitewise"
        )
        with pytest.raises(ClientError):
            plain.list_portals()

    assert len(asked) == 1


def test_botocore_limits_the_rate_after_the_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed = []

    def sending(_limiter: object, request: t.Any, **_: object) -> None:  # noqa: ANN401
        signed.append("Authorization" in request.headers)

    monkeypatch.setattr(ClientRateLimiter, "on_sending_request", sending)
    with answering(lambda: PAGE) as url:
        client(url, retries={"mode": "adaptive"}).list_portals()
        assert signed == [True]

        plain = client(url, retries={"mode": "standard"})
        limiter = register_retry_handler(plain)
        plain.meta.events.unregister("before-send", limiter.on_sending_request)
        plain.meta.events.register("before-sign", limiter.on_sending_request)
        plain.list_portals()

    assert signed == [True, False]


def test_botocore_signs_each_attempt() -> None:
    signed = []
    with answering(lambda: b"{}", status=503) as url:
        plain = client(url, retries={"mode": "standard", "total_max_attempts": 3})
        plain.meta.events.register(
            "before-sign.iotsitewise", lambda **_: signed.append(1)
        )
        with pytest.raises(ClientError):
            plain.list_portals()

    assert len(signed) == 3


@pytest.mark.parametrize("status", [507, 520, 529, 599])
def test_botocore_does_not_try_every_server_error_again(status: int) -> None:
    context = RetryContext(1, parsed_response={}, http_response=answer(status, b""))

    assert not TransientRetryableChecker().is_retryable(context)


def test_botocore_tries_again_where_a_certificate_is_not_trusted() -> None:
    error = SSLError(endpoint_url="https://example.com", error="CERTIFICATE_VERIFY")
    context = RetryContext(1, caught_exception=error)

    assert StandardRetryConditions(4).is_retryable(context)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_botocore_gives_up_where_credentials_ran_out(code: str) -> None:
    operation = client("http://127.0.0.1:1").meta.service_model.operation_model(
        "ListPortals"
    )
    context = RetryContext(
        1, operation, {"Error": {"Code": code}}, answer(403, b""), request_context={}
    )

    assert not StandardRetryConditions(4).is_retryable(context)


# Credentials


def renewed(**parts: str) -> dict[str, str]:
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
    return {
        "access_key": "AKIAEXAMPLE",
        "secret_key": "example",
        "token": "a-session-token",
        "expiry_time": later.isoformat(),
        **parts,
    }


def test_botocore_keeps_the_function_that_renews_credentials() -> None:
    credentials = DeferredRefreshableCredentials(renewed, "a-method")

    assert credentials._refresh_using is renewed  # noqa: SLF001
    assert credentials.get_frozen_credentials().access_key == "AKIAEXAMPLE"


def test_botocore_gives_up_where_renewed_credentials_have_expired() -> None:
    asked = []

    def renew() -> dict[str, str]:
        asked.append("for credentials")
        return renewed(expiry_time="2020-01-01T00:00:00Z")

    credentials = DeferredRefreshableCredentials(renew, "a-method")

    with pytest.raises(RuntimeError, match="still expired"):
        credentials.get_frozen_credentials()

    assert len(asked) == 1


def test_botocore_warns_of_a_failed_renewal_with_its_traceback(
    plain_log: pytest.LogCaptureFixture,
) -> None:
    def fail() -> t.NoReturn:
        msg = "the source of credentials is broken"
        raise ValueError(msg)

    plain_log.set_level(logging.WARNING, "botocore.credentials")

    with pytest.raises(ValueError, match="is broken"):
        DeferredRefreshableCredentials(fail, "a-method").get_frozen_credentials()

    (record,) = plain_log.records
    assert record.levelno == logging.WARNING
    assert record.exc_info


def test_botocore_writes_credentials_into_its_log_at_debug(
    plain_log: pytest.LogCaptureFixture,
) -> None:
    plain_log.set_level(logging.DEBUG, "botocore")

    with answering(lambda: PAGE) as url:
        client(url).list_portals()

    assert "x-amz-security-token:a-session-token" in plain_log.text


@pytest.mark.parametrize(
    "printed",
    [
        "[]",
        "null",
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": "AKIAEXAMPLE",
                "SecretAccessKey": "example",
                "SessionToken": "a-session-token",
                "Expiration": 5,
            }
        ),
    ],
)
def test_botocore_expects_credentials_of_the_right_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str
) -> None:
    file, config = tmp_path / "credentials.json", tmp_path / "config"
    file.write_text(printed, "utf-8")
    script = f'"{sys.executable}" -c "print(open(\'{file}\').read())"'
    config.write_text(f"[profile p]\ncredential_process = {script}\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    with pytest.raises((AttributeError, TypeError)):
        boto3.Session(profile_name="p").get_credentials()


# Proxies


def test_botocore_takes_a_socks_proxy_for_a_host_and_shows_its_password() -> None:
    given = ProxyConfiguration({"https": "socks5://bob:secret@127.0.0.1"})
    url = given.proxy_url_for("https://example.com")

    assert url == "http://socks5://bob:secret@127.0.0.1"
    assert mask_proxy_url(url) == url


def test_botocore_fails_at_a_proxys_password_that_is_not_ascii() -> None:
    with pytest.raises(UnicodeEncodeError):
        ProxyConfiguration().proxy_headers_for("http://bob:ge%C3%BCbt@127.0.0.1")


def test_botocore_renews_short_credentials_with_each_request() -> None:
    def fetch() -> dict[str, str]:
        fetched.append(1)
        return renewed(expiry_time=soon.isoformat())

    soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=899)
    fetched: list[int] = []
    credentials = DeferredRefreshableCredentials(fetch, "a-test")
    for _ in range(3):
        credentials.get_frozen_credentials()

    assert len(fetched) == 3


def test_botocore_assumes_a_role_with_the_client_that_it_is_given() -> None:
    asked: dict[str, object] = {}

    class Sts:
        def assume_role(self, **parameters: object) -> dict[str, object]:
            asked.update(parameters)
            names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
            expiration = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=1)
            return {
                "Credentials": {
                    **dict.fromkeys(names, "given"),
                    "Expiration": expiration,
                }
            }

    parameters = {"RoleArn": "arn:aws:iam::111122223333:role/reader"}
    fetched = create_assume_role_refresher(Sts(), parameters)()
    credentials = DeferredRefreshableCredentials(lambda: fetched, "a-test")

    assert asked == parameters
    assert {*credentials.get_frozen_credentials()[:3]} == {"given"}


def test_botocore_takes_credentials_from_the_resolver_that_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    given = Credentials("AKIAGIVEN", "example")

    class Provider(CredentialProvider):  # type: ignore[misc]  # botocore is untyped
        METHOD = "a-test"

        def load(self) -> Credentials:
            return given

    session = botocore.session.Session()
    session.register_component("credential_provider", CredentialResolver([Provider()]))

    assert session.get_credentials() is given


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b"<AssumeRoleResponse><AssumeRoleResult><Cred", ResponseParserError),
        (b"not XML", ResponseParserError),
        (b"<html/>", KeyError),
    ],
)
def test_botocore_does_not_try_assume_role_again_if_the_answer_is_not_valid(
    body: bytes, failure: type[Exception]
) -> None:
    asked: list[bytes] = []
    with answering(lambda: body, asked=asked) as url:
        sts = boto3.client(
            "sts",
            region_name="eu-west-1",
            endpoint_url=url,
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="example",  # noqa: S106 - opens nothing
        )
        with pytest.raises(failure):
            sts.assume_role(
                RoleArn="arn:aws:iam::111122223333:role/reader",
                RoleSessionName="name",
            )

    assert len(asked) == 1
