"""Habits of libraries that the tap works around.

Each test fails once a library has mended its habit: then the workaround that it names
can go.
"""

from __future__ import annotations

import io
import typing as t

import pendulum
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import ProxyConfiguration, mask_proxy_url
from botocore.parsers import create_parser
from botocore.retries.standard import RetryContext, TransientRetryableChecker
from iam_rolesanywhere_session import iam_rolesanywhere_session

LATIN_1 = "<html>Störung</html>".encode("latin-1")


class Body:
    """The raw side of an answer, as urllib3 gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def answer(status: int, body: bytes) -> t.Any:  # noqa: ANN401 - botocore is untyped
    return AWSResponse("https://example.com/", status, HTTPHeaders(), Body(body))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\xe4" + LATIN_1, UnicodeDecodeError),
        (b"[1]", AttributeError),
        (b"null", AttributeError),
        (b"[" * 100_000, RecursionError),
    ],
)
def test_botocores_parser_fails_at_a_body_that_is_not_an_object_in_utf_8(
    body: bytes, error: type[Exception]
) -> None:
    # tap_iot_sitewise.responses.error_in
    response = {"status_code": 502, "headers": {}, "body": body}

    with pytest.raises(error):
        create_parser("rest-json").parse(response, None)


@pytest.mark.parametrize("status", [507, 520, 529, 599])
def test_botocore_does_not_try_every_server_error_again(status: int) -> None:
    # tap_iot_sitewise.responses.TRANSIENT_STATUSES
    context = RetryContext(1, parsed_response={}, http_response=answer(status, b""))

    assert not TransientRetryableChecker().is_retryable(context)


def test_the_roles_anywhere_library_decodes_any_body_as_utf_8() -> None:
    # tap_iot_sitewise.roles_anywhere._Http
    with pytest.raises(UnicodeDecodeError):
        iam_rolesanywhere_session._error_message(answer(502, LATIN_1))  # noqa: SLF001


def test_botocore_takes_a_socks_proxy_for_a_host_and_shows_its_password() -> None:
    # tap_iot_sitewise.auth._proxy_faults
    given = ProxyConfiguration({"https": "socks5://bob:secret@127.0.0.1"})
    url = given.proxy_url_for("https://example.com")

    assert url == "http://socks5://bob:secret@127.0.0.1"
    assert mask_proxy_url(url) == url


class Half(io.RawIOBase):
    """A raw file that takes half of what it is given, as a pipe that is almost full."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: t.Any, /) -> int:  # noqa: ANN401 - whatever has bytes
        half = bytes(data)[: len(data) // 2]
        self.taken += half
        return len(half)


def test_python_drops_what_a_raw_stdout_does_not_take() -> None:
    # tap_iot_sitewise.standard_streams: this is stdout under PYTHONUNBUFFERED.
    file = Half()
    stdout = io.TextIOWrapper(t.cast("t.Any", file), "utf-8", write_through=True)

    print("a line of text", file=stdout, end="", flush=True)

    assert file.taken == b"a line "


def test_pendulum_takes_a_word_and_a_time_of_day_for_a_moment() -> None:
    # tap_iot_sitewise.bookmarks.parse_moment
    for text in ("now", "12:30"):
        assert isinstance(pendulum.parse(text), pendulum.DateTime)
