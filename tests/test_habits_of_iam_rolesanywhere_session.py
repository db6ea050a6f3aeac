"""Habits of iam-rolesanywhere-session that `tap_iot_sitewise.aws` works around.

Each test fails once the library changes the habit. The docstring of
`tap_iot_sitewise/aws/__init__.py` names the workaround that can go then, or that has to
follow.
"""

from __future__ import annotations

import inspect
import json
import logging
import typing as t

import pytest
from botocore.exceptions import SSLError
from iam_rolesanywhere_session import (
    CredentialsRetrievalError,
    IAMRolesAnywhereSession,
    IAMRolesAnywhereSigner,
)

from emulator import Answer, Emulator, Fault

if t.TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def aws(served: Emulator) -> Iterator[Emulator]:
    yield served
    served.faults.clear()
    served.stats.reset()


@pytest.fixture
def plain_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log without the redaction that a test before may have installed."""
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    yield caplog
    logging.setLogRecordFactory(factory)


def session(aws: Emulator, **options: t.Any) -> IAMRolesAnywhereSession:  # noqa: ANN401
    """A plain session of the library."""
    identity = aws.issue_certificate()
    return IAMRolesAnywhereSession(
        **{
            "profile_arn": aws.profile_arn,
            "role_arn": aws.role_arn,
            "trust_anchor_arn": aws.trust_anchor_arn,
            "certificate": identity.certificate,
            "private_key": identity.private_key,
            "region": aws.region,
            "endpoint": aws.roles_anywhere_url.removeprefix("https://"),
            "verify": aws.ca_bundle,
            **options,
        }
    )


def sign_in(made: IAMRolesAnywhereSession) -> t.Any:  # noqa: ANN401 - botocore's type
    return made.get_refreshable_credentials().get_frozen_credentials()


def test_create_session_is_asked_for_once(aws: Emulator) -> None:
    aws.faults.fail_next("CreateSession", Fault.UNAVAILABLE)

    with pytest.raises(CredentialsRetrievalError):
        sign_in(session(aws))

    assert aws.stats.requests == {"CreateSession": 1}


def test_create_session_logs_each_failure_as_an_error(
    aws: Emulator, plain_log: pytest.LogCaptureFixture
) -> None:
    plain_log.set_level(logging.INFO, "iam_rolesanywhere_session")
    aws.faults.fail_next("CreateSession", Fault.UNAVAILABLE)

    with pytest.raises(CredentialsRetrievalError):
        sign_in(session(aws))

    assert logging.ERROR in {record.levelno for record in plain_log.records}


def test_create_session_takes_no_notice_of_a_proxy(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    # Nobody listens there.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    assert sign_in(session(aws)).access_key


def test_create_session_takes_no_notice_of_a_ca_bundle(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", aws.ca_bundle)

    with pytest.raises(SSLError):
        sign_in(session(aws, verify=True))


def test_create_session_has_no_timeout_to_set() -> None:
    parameters = inspect.signature(IAMRolesAnywhereSession).parameters

    assert not [name for name in parameters if "timeout" in name]


def test_create_session_goes_to_a_host_and_not_to_a_url(aws: Emulator) -> None:
    made = session(aws, endpoint=aws.roles_anywhere_url)

    with pytest.raises(Exception, match="https://https"):
        sign_in(made)


def test_the_session_keeps_the_bytes_of_the_private_key(aws: Emulator) -> None:
    key = aws.issue_certificate().private_key

    assert session(aws, private_key=key).private_key == key


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (502, "<html>Störung</html>".encode("latin-1"), UnicodeDecodeError),
        (502, b"[" * 100_000, RecursionError),
        (200, b'{"credentialSet": [{"credentials": "none"}]}', AttributeError),
    ],
)
def test_create_session_expects_answers_of_the_right_form(
    aws: Emulator, status: int, body: bytes, failure: type[Exception]
) -> None:
    aws.faults.fail_next("CreateSession", Answer(status, body))

    with pytest.raises(failure):
        sign_in(session(aws))


def test_the_signer_names_the_hash_that_the_authority_used(aws: Emulator) -> None:
    identity = aws.issue_certificate(intermediate=True, ca_hash="sha384")

    signer = IAMRolesAnywhereSigner(identity.certificate, identity.private_key)

    assert signer.algorithm == "AWS4-X509-ECDSA-SHA384"


class Noted:
    """An HTTP session, or a signer, that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def add_auth(self, request: t.Any) -> None:  # noqa: ANN401 - botocore's type
        self.asked.append(f"sign {request.method}")

    def send(self, request: t.Any) -> t.Any:  # noqa: ANN401 - botocore's type
        self.asked.append(f"send {request.url}")
        return self

    status_code = 200
    text = json.dumps(
        {
            "credentialSet": [
                {
                    "credentials": {
                        "accessKeyId": "AKIAEXAMPLE",
                        "secretAccessKey": "example",
                        "sessionToken": "a-session-token",
                        "expiration": "2999-01-01T00:00:00Z",
                    }
                }
            ]
        }
    )


def test_the_session_signs_and_sends_with_what_it_keeps(aws: Emulator) -> None:
    noted, made = Noted(), session(aws)
    made._request_signer = made._session = t.cast("t.Any", noted)  # noqa: SLF001

    credentials = sign_in(made)

    assert noted.asked == ["sign POST", f"send {aws.roles_anywhere_url}/sessions"]
    assert credentials.access_key == "AKIAEXAMPLE"
