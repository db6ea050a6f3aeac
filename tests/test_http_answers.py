"""Whatever a server answers: tried again or not by its status, and one clear error."""

from __future__ import annotations

import json
import typing as t
from http import HTTPStatus

import pytest
from botocore.loaders import JSONFileLoader

from emulator import Answer, Emulator
from tap_iot_sitewise.errors import NotFoundError, TapError
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import static
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import TapCommand

# 520 to 530 are Cloudflare's, 529 others' as well; 561 and 598 are load balancers'.
ELSEWHERE = {419, 420, 430, 440, 444, 450, 460, 463, 494, 495, 499}
ELSEWHERE |= {509, 529, 530, 561, 598, 599, *range(520, 528)}
STATUSES = sorted({int(status) for status in HTTPStatus if status >= 200} | ELSEWHERE)

ATTEMPTS = 2

HTML = "<html><head><title>Störung</title></head><body>Später wieder</body></html>"
BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "text/plain"),
    "blank": (b" \n", "application/json"),
    "HTML": (HTML.encode(), "text/html"),
    "Latin-1": (HTML.encode("latin-1"), "text/html; charset=iso-8859-1"),
    "binary": (bytes(range(256)), "application/octet-stream"),
    "a list": (b'["no", {"message": "way"}]', "application/json"),
    "a text": (b'"out of order"', "application/json"),
    "null": (b"null", "application/json"),
    "a number": (b"503", "application/json"),
    "an object": (b'{"error": {"reason": "out of order"}}', "application/json"),
    "members of other kinds": (
        b'{"message": 5, "__type": ["x"], "code": null, "Code": {}}',
        "application/json",
    ),
    "deep": (b"[" * 100_000, "application/json"),
    "deep and closed": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "application/json"),
    "cut": (b'{"message": "The requested serv', "application/json"),
    "UTF-16": ('{"message": "x"}'.encode("utf-16"), "application/json"),
    "control characters": (b"\x1b[31mred\x1b[0m\x00\r\nERROR | forged", "text/plain"),
    "long": (b"x" * 100_000, "text/plain"),
}

TOO_MANY_REQUESTS = 429
A_FEW = ("Latin-1", "deep")
"""Bodies that are enough where a client slows down, as it does once throttled."""


def is_tried_again(status: int) -> bool:
    """The rule of contract 5, and that what is not a page is never taken for one."""
    if status < 300:
        return True
    return status == TOO_MANY_REQUESTS or (status >= 500 and status not in {501, 505})


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """An account; botocore's model of it is read once, not for each client."""
    read = JSONFileLoader.load_file
    models: dict[str, t.Any] = {}

    def read_once(loader: JSONFileLoader, path: str) -> object:
        if path not in models:
            models[path] = read(loader, path)
        return models[path]

    with (
        Emulator(asset_models=1, portals=1) as aws,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(JSONFileLoader, "load_file", read_once)
        yield aws


def error_of(tap: TapIoTSiteWise) -> str:
    with pytest.raises(TapError) as caught:
        list(tap.streams["portals"].get_records(None))
    assert not isinstance(caught.value, NotFoundError)
    return str(caught.value)


def check_line(error: str, *, tried: int, again: bool) -> None:
    """Fail unless an error is one line of moderate length that says how often."""
    assert error.isprintable()
    assert len(error) < 500
    assert (f"after {tried} attempts" in error) == again, error
    for words in ("DecodeError", "AttributeError", "RecursionError", "Traceback"):
        assert words not in error, error


@pytest.mark.parametrize("status", STATUSES)
def test_any_status_with_any_body_is_tried_again_as_the_status_says(
    served: Emulator, status: int
) -> None:
    again = is_tried_again(status)
    tap = TapIoTSiteWise(config=static(served, max_attempts=ATTEMPTS))
    for name, (body, content_type) in BODIES.items():
        if status == TOO_MANY_REQUESTS and name not in A_FEW:
            continue
        served.stats.reset()
        served.faults.clear()
        served.faults.always("ListPortals", Answer(status, body, content_type))

        error = error_of(tap)

        tried = ATTEMPTS if again else 1
        assert served.stats.requests == {"ListPortals": tried}, (status, name)
        assert error.startswith("ListPortals: "), (status, name)
        check_line(error, tried=tried, again=again)
        if status >= 300:
            assert error.startswith(f"ListPortals: HTTP {status}"), (status, name)
        else:
            assert "is not a page of portalSummaries" in error, (status, name)
    served.faults.clear()


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 501, 503, 599])
@pytest.mark.parametrize(
    "body",
    [
        {"__type": "com.amazon#OddException", "message": "Not today."},
        {"code": "OddException:http://internal.amazon.com/", "Message": "Not today."},
        {"Code": "OddException", "message": "Not today.", "resourceId": [1]},
    ],
    ids=["__type", "code", "Code"],
)
def test_a_code_and_words_of_aws_are_passed_on_in_whatever_form(
    served: Emulator, status: int, body: dict[str, t.Any]
) -> None:
    served.stats.reset()
    answer = Answer(status, json.dumps(body).encode())
    served.faults.always("ListPortals", answer)

    error = error_of(TapIoTSiteWise(config=static(served, max_attempts=ATTEMPTS)))

    served.faults.clear()
    again = is_tried_again(status)
    assert error.startswith("ListPortals: OddException: Not today")
    assert served.stats.requests["ListPortals"] == (ATTEMPTS if again else 1)
    check_line(error, tried=ATTEMPTS, again=again)


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "Throttling", True),
        (400, "SlowDown", True),
        (400, "RequestTimeout", True),
        (501, "ThrottlingException", False),
        (505, "RequestTimeout", False),
        # Codes of the tap's own have no meaning in an answer.
        (403, ":broken page", False),
        (403, "x#:broken page", False),
    ],
)
def test_a_code_is_tried_again_as_botocore_has_it_but_not_with_501_and_505(
    served: Emulator, status: int, code: str, *, again: bool
) -> None:
    served.stats.reset()
    body = json.dumps({"__type": code, "message": "No."}).encode()
    served.faults.always("ListPortals", Answer(status, body))

    error = error_of(TapIoTSiteWise(config=static(served, max_attempts=ATTEMPTS)))

    served.faults.clear()
    assert served.stats.requests["ListPortals"] == (ATTEMPTS if again else 1)
    assert f"after {ATTEMPTS} attempts" in error or not again


def test_what_an_answer_says_is_shown_in_one_line_of_moderate_length(
    served: Emulator,
) -> None:
    said = {"__type": "\x1b[31mOdd" + "x" * 10_000, "message": "no\nERROR" * 100_000}
    served.faults.always("ListPortals", Answer(400, json.dumps(said).encode()))

    error = error_of(TapIoTSiteWise(config=static(served)))

    served.faults.clear()
    assert error.isprintable()
    assert len(error) < 3_000


@pytest.mark.parametrize("status", [200, 502, 507, 520, 529, 599])
def test_a_passing_answer_costs_a_retry_and_no_record(
    served: Emulator, status: int
) -> None:
    tap = TapIoTSiteWise(config=static(served))
    for name in A_FEW:
        served.faults.fail_next("ListPortals", Answer(status, *BODIES[name]))

        (record,) = tap.streams["portals"].get_records(None)

        wanted = expected.records(served.plant)["portals"][0]
        assert record == wanted


@pytest.mark.parametrize("status", [200, 201, 203, 206])
def test_a_page_is_a_page_by_what_it_holds(served: Emulator, status: int) -> None:
    served.faults.always("ListPortals", Answer(status, b'{"portalSummaries": []}'))

    tap = TapIoTSiteWise(config=static(served))

    assert list(tap.streams["portals"].get_records(None)) == []
    served.faults.clear()


CREDENTIALS = {
    "accessKeyId": "ASIAEXAMPLE",
    "secretAccessKey": "secret",
    "sessionToken": "token",
    "expiration": "2999-01-01T00:00:00Z",
}
USELESS = {
    "no credential set": {},
    "an empty set": {"credentialSet": []},
    "credentials that are a text": {"credentialSet": [{"credentials": "none"}]},
    "credentials that are a list": {"credentialSet": [{"credentials": [1]}]},
    "half of them": {"credentialSet": [{"credentials": {"accessKeyId": "ASIA"}}]},
    "a key that is a number": {
        "credentialSet": [{"credentials": {**CREDENTIALS, "accessKeyId": 5}}]
    },
    "an empty token": {
        "credentialSet": [{"credentials": {**CREDENTIALS, "sessionToken": ""}}]
    },
    "no date": {"credentialSet": [{"credentials": {**CREDENTIALS, "expiration": "x"}}]},
    "a date of another kind": {
        "credentialSet": [{"credentials": {**CREDENTIALS, "expiration": 1e999}}]
    },
    "a date that is over": {
        "credentialSet": [{"credentials": {**CREDENTIALS, "expiration": "2020-01-01"}}]
    },
}
SESSION_BODIES = {
    **BODIES,
    **{
        name: (json.dumps(body).encode(), "application/json")
        for name, body in USELESS.items()
    },
}


@pytest.fixture
def signed_in(
    served: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, t.Any]:
    monkeypatch.setenv("AWS_CA_BUNDLE", served.ca_bundle)
    forms = Forms(served.issue_certificate(), tmp_path)
    return anywhere(served, **forms.paths(), max_attempts=ATTEMPTS)


@pytest.mark.parametrize("status", [201, 302, 403, 404, 501, 503])
def test_create_session_is_tried_again_as_the_status_says(
    served: Emulator, signed_in: dict[str, t.Any], status: int
) -> None:
    again = is_tried_again(status)
    # Without credentials, each call asks for them anew.
    tap = TapIoTSiteWise(config=signed_in)
    for name, (body, content_type) in SESSION_BODIES.items():
        served.stats.reset()
        served.faults.clear()
        served.faults.always("CreateSession", Answer(status, body, content_type))

        error = error_of(tap)

        tried = ATTEMPTS if again else 1
        assert served.stats.requests == {"CreateSession": tried}, (status, name)
        assert error.startswith(f"CreateSession: HTTP {status}: "), (status, name)
        check_line(error, tried=tried, again=again)
    served.faults.clear()


def test_a_page_nested_deeper_than_can_be_read_is_one_error_of_the_command(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.always("ListPortals", Answer(200, *BODIES["deep"]))

    error = tap(static(aws, max_attempts=ATTEMPTS)).error

    assert "is not a page of portalSummaries, even after 2 attempts" in error
