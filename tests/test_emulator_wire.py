"""The emulator's bytes, seen by a raw client: refused signatures, and each fault."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from emulator import AccessKey, ApiError, Call, Emulator, Fault, Plant
from emulator.keys import Keyring
from emulator.sigv4 import SignedRequest, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def aws() -> Iterator[Emulator]:
    with Emulator(asset_models=20, portals=3, projects_per_portal=3) as emulator:
        yield emulator


Answer = tuple[int, dict[str, str], bytes]


def signed_headers(aws: Emulator, path: str) -> dict[str, str]:
    request = AWSRequest("GET", aws.endpoint_url + path)
    credentials = Credentials(aws.access_key_id, aws.secret_access_key)
    SigV4Auth(credentials, "iotsitewise", aws.region).add_auth(request)
    return {
        "Host": aws.endpoint_url.removeprefix("http://"),
        **dict(request.headers.items()),
    }


def send(
    aws: Emulator,
    path: str,
    headers: dict[str, str] | None = None,
) -> Answer:
    host = aws.endpoint_url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as line:
        line.request(
            "GET",
            path,
            headers=signed_headers(aws, path) if headers is None else headers,
        )
        response = line.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, response.read()


def refusal(answer: Answer) -> tuple[int, str]:
    status, headers, body = answer
    assert set(json.loads(body)) == {"message"}
    assert headers["x-amzn-requestid"]
    return status, headers["x-amzn-errortype"]


# Signatures


def test_a_page_on_the_wire_is_as_sitewise_sends_it(aws: Emulator) -> None:
    status, headers, body = send(aws, "/asset-models?maxResults=5")
    assert status == 200
    assert headers["content-type"] == "application/json"
    page = json.loads(body)
    assert list(page) == ["assetModelSummaries", "nextToken"]
    assert page["assetModelSummaries"] == list(aws.plant.asset_models[:5])
    # Java's notation, which a reader of plain decimal fractions would not survive.
    assert b"E9," in body


def test_a_plant_can_be_given_with_any_members() -> None:
    model = {
        "id": None,
        "name": "\ud800 alone, ünd not",
        "creationDate": 1e18,
        "lastUpdateDate": None,
        "inventedByAws": {"deep": [1, None, "é"], "creationDate": 1.5e9},
    }
    with Emulator(plant=Plant(asset_models=[model])) as aws:
        _, _, body = send(aws, "/asset-models")
    assert json.loads(body) == {"assetModelSummaries": [model]}


def verified_example(now: datetime) -> bool:
    """`get-vanilla` of AWS's published SigV4 test suite, with its published result."""
    key = AccessKey(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        None,
        None,
        "arn:aws:iam::123456789012:user/example",
    )
    keys = Keyring()
    keys.add(key)
    signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    request = SignedRequest(
        "GET",
        "/",
        "",
        {
            "host": "example.amazonaws.com",
            "x-amz-date": "20150830T123600Z",
            "authorization": "AWS4-HMAC-SHA256 "
            "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            f"SignedHeaders=host;x-amz-date, Signature={signature}",
        },
    )
    return verify(request, keys, region="us-east-1", service="service", now=now) is key


SIGNED = datetime(2015, 8, 30, 12, 36, tzinfo=timezone.utc)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_the_published_example_of_signature_version_4_verifies(seconds: int) -> None:
    assert verified_example(SIGNED + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-301, "Signature not yet current: "), (301, "Signature expired: ")],
)
def test_a_signature_is_refused_a_second_after_five_minutes(
    seconds: int, words: str
) -> None:
    with pytest.raises(ApiError) as refused:
        verified_example(SIGNED + timedelta(seconds=seconds))
    assert refused.value.message.startswith(words)


def changed_signature(headers: dict[str, str]) -> None:
    value = headers["Authorization"]
    headers["Authorization"] = value[:-1] + ("0" if value[-1] != "0" else "1")


def unsigned_host(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].replace("host;", "")


def another_service(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].replace("/iotsitewise/", "/s3/")


def another_algorithm(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].replace("HMAC", "RSA")


def without_signature(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].partition(", Signature")[0]


def short_credential(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].replace("/aws4_request", "")


def another_terminator(headers: dict[str, str]) -> None:
    headers["Authorization"] = headers["Authorization"].replace("aws4_", "aws5_")


def no_date(headers: dict[str, str]) -> None:
    del headers["X-Amz-Date"]


def another_day(headers: dict[str, str]) -> None:
    date = headers["X-Amz-Date"][:8]
    headers["Authorization"] = headers["Authorization"].replace(date, "20200101")


def a_second_later(headers: dict[str, str]) -> None:
    moment = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(
        tzinfo=timezone.utc,
    )
    later = datetime.fromtimestamp(moment.timestamp() - 1, timezone.utc)
    headers["X-Amz-Date"] = f"{later:%Y%m%dT%H%M%SZ}"
    headers["Authorization"] = headers["Authorization"].replace(
        f"{moment:%Y%m%d}", f"{later:%Y%m%d}"
    )


def no_authorization(headers: dict[str, str]) -> None:
    del headers["Authorization"]


def foreign_token(headers: dict[str, str]) -> None:
    headers["X-Amz-Security-Token"] = "of somebody else"


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (changed_signature, "InvalidSignatureException", "does not match"),
        (unsigned_host, "InvalidSignatureException", "'Host' or ':authority'"),
        (another_service, "InvalidSignatureException", "service: 'iotsitewise'"),
        (another_terminator, "InvalidSignatureException", "valid terminator"),
        (another_day, "InvalidSignatureException", "'20200101' != "),
        (a_second_later, "InvalidSignatureException", "does not match"),
        (another_algorithm, "IncompleteSignatureException", "Unsupported"),
        (without_signature, "IncompleteSignatureException", "requires 'Signature'"),
        (short_credential, "IncompleteSignatureException", "slash-delimited"),
        (no_date, "IncompleteSignatureException", "'X-Amz-Date'"),
        (no_authorization, "MissingAuthenticationTokenException", "Missing"),
        (foreign_token, "UnrecognizedClientException", "is invalid"),
    ],
)
def test_a_spoiled_signature_is_refused(
    aws: Emulator,
    spoil: Callable[[dict[str, str]], None],
    code: str,
    words: str,
) -> None:
    headers = signed_headers(aws, "/portals")
    assert send(aws, "/portals", headers)[0] == 200
    spoil(headers)
    answer = send(aws, "/portals", headers)
    assert refusal(answer) == (403, code)
    assert words in json.loads(answer[2])["message"]


@pytest.mark.parametrize(
    "path",
    ["/portals?maxResults=2", "/portals?maxResult=1", "/asset-models?maxResults=1"],
)
def test_a_signature_is_good_for_its_own_path_and_query(
    aws: Emulator,
    path: str,
) -> None:
    headers = signed_headers(aws, "/portals?maxResults=1")
    assert send(aws, "/portals?maxResults=1", headers)[0] == 200
    assert refusal(send(aws, path, headers)) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/portals?maxResults=0", "greater than or equal to 1"),
        ("/portals?maxResults=251", "less than or equal to 250"),
        ("/portals?maxResults=-1", "greater than or equal to 1"),
        ("/portals?maxResults=many", "'maxResults'"),
        ("/portals?maxResults=", "'maxResults'"),
        ("/portals?nextToken=", "nextToken"),
        ("/projects", "Value null at 'portalId'"),
        ("/projects?portalId=x", "regular expression"),
        ("/asset-models?assetModelTypes=PUMP", "[ASSET_MODEL, COMPONENT_MODEL"),
        (
            "/asset-models?assetModelTypes=INTERFACE&assetModelTypes=x",
            "'assetModelTypes'",
        ),
        ("/asset-models?assetModelVersion=1", "'assetModelVersion'"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused(
    aws: Emulator,
    path: str,
    words: str,
) -> None:
    answer = send(aws, path)
    assert refusal(answer) == (400, "InvalidRequestException")
    assert words in json.loads(answer[2])["message"]


def test_a_missing_permission_comes_before_a_missing_parameter(aws: Emulator) -> None:
    aws.deny("iotsitewise:ListProjects")
    answer = send(aws, "/projects")
    assert refusal(answer) == (403, "AccessDeniedException")
    assert ":portal/* because" in json.loads(answer[2])["message"]


def test_an_unknown_operation_is_refused(aws: Emulator) -> None:
    assert refusal(send(aws, "/robots")) == (404, "UnknownOperationException")


# Faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.INTERNAL_FAILURE, 500, "InternalFailureException"),
        (Fault.UNAVAILABLE, 503, "ServiceUnavailableException"),
        (Fault.THROTTLE, 429, "ThrottlingException"),
        (Fault.ACCESS_DENIED, 403, "AccessDeniedException"),
        (Fault.EXPIRED_TOKEN, 403, "ExpiredTokenException"),
        (ApiError("NewException", "never seen", 418), 418, "NewException"),
    ],
)
def test_an_error_is_sent_as_often_as_asked_for(
    aws: Emulator,
    fault: Fault | ApiError,
    status: int,
    code: str,
) -> None:
    aws.faults.fail_next("ListPortals", fault, times=2, after=1)
    assert send(aws, "/portals")[0] == 200
    assert send(aws, "/asset-models")[0] == 200
    assert refusal(send(aws, "/portals")) == (status, code)
    assert refusal(send(aws, "/portals")) == (status, code)
    assert send(aws, "/portals")[0] == 200
    assert aws.stats.errors == {code: 2}


def test_a_bad_gateway_is_html(aws: Emulator) -> None:
    aws.faults.fail_next("*", Fault.BAD_GATEWAY)
    status, headers, body = send(aws, "/portals")
    assert (status, headers["content-type"].partition(";")[0]) == (502, "text/html")
    assert b"<h1>502 Bad Gateway</h1>" in body


def test_a_dropped_connection_gives_no_byte(aws: Emulator) -> None:
    aws.faults.fail_next("ListPortals", Fault.DROP)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(aws, "/portals")
    assert send(aws, "/portals")[0] == 200
    assert aws.stats.errors == {"drop": 1}


def test_a_connection_dropped_in_the_body_gives_half_of_it(aws: Emulator) -> None:
    whole = send(aws, "/portals")[2]
    aws.faults.fail_next("ListPortals", Fault.DROP_IN_BODY)
    with pytest.raises(http.client.IncompleteRead) as failure:
        send(aws, "/portals")
    assert failure.value.partial == whole[: len(whole) // 2]
    assert failure.value.expected == len(whole) - len(whole) // 2


def test_silence_lasts_until_it_is_broken_off(aws: Emulator) -> None:
    aws.faults.fail_next("ListPortals", Fault.SILENCE, times=2)
    host = aws.endpoint_url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as line:
        line.request("GET", "/portals", headers=signed_headers(aws, "/portals"))
        aws.stats.wait_for(lambda: aws.stats.in_flight == 1)
        line.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.getresponse()
    aws.stats.wait_for(lambda: aws.stats.in_flight == 0)
    aws.faults.silence_seconds = 0.3
    begin = time.monotonic()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(aws, "/portals")
    assert time.monotonic() - begin >= 0.3
    assert send(aws, "/portals")[0] == 200
    assert aws.stats.in_flight == 0


def test_a_body_cut_short_has_a_content_length_that_agrees(aws: Emulator) -> None:
    whole = send(aws, "/portals")[2]
    aws.faults.fail_next("ListPortals", Fault.CUT_SHORT)
    status, headers, body = send(aws, "/portals")
    assert status == 200
    assert int(headers["content-length"]) == len(body) < len(whole)
    assert whole.startswith(body)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(body)


def test_a_body_that_is_no_json_and_one_that_lacks_its_members(aws: Emulator) -> None:
    aws.faults.fail_next("ListPortals", Fault.NOT_JSON)
    aws.faults.fail_next("ListPortals", Fault.EMPTY_OBJECT)
    status, _, body = send(aws, "/portals")
    assert status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(body)
    assert send(aws, "/portals")[::2] == (200, b"{}")


def token_path(page: bytes) -> str:
    request = AWSRequest(
        "GET",
        "http://localhost/portals",
        params={"maxResults": 2, "nextToken": json.loads(page)["nextToken"]},
    )
    return str(request.prepare().url).removeprefix("http://localhost")


def test_the_same_token_for_ever(aws: Emulator) -> None:
    aws.faults.always("ListPortals", Fault.SAME_TOKEN, after=1)
    first = send(aws, "/portals?maxResults=2")[2]
    second = send(aws, token_path(first))[2]
    third = send(aws, token_path(second))[2]
    assert json.loads(first)["nextToken"] == json.loads(second)["nextToken"]
    assert second == third
    assert json.loads(third)["portalSummaries"] == [aws.plant.portals[2]]


@pytest.mark.parametrize(
    ("fault", "entities"), [(Fault.EMPTY_PAGE, 0), (Fault.REPEATED_PAGE, 2)]
)
def test_a_listing_that_never_ends(aws: Emulator, fault: Fault, entities: int) -> None:
    aws.faults.always("ListPortals", fault)
    path = "/portals?maxResults=2"
    tokens = set()
    for _ in range(5):
        page = send(aws, path)[2]
        assert len(json.loads(page)["portalSummaries"]) == entities
        tokens.add(json.loads(page)["nextToken"])
        path = token_path(page)
    assert len(tokens) == 5


def test_an_empty_page_loses_nothing(aws: Emulator) -> None:
    aws.faults.fail_next("ListPortals", Fault.EMPTY_PAGE, after=1)
    first = send(aws, "/portals?maxResults=2")[2]
    second = send(aws, token_path(first))[2]
    third = send(aws, token_path(second))[2]
    listed = [json.loads(page)["portalSummaries"] for page in (first, second, third)]
    assert listed == [list(aws.plant.portals[:2]), [], list(aws.plant.portals[2:])]


def test_a_quota_throttles_what_is_above_it(aws: Emulator) -> None:
    # So slow that none is added while the test runs.
    aws.faults.set_quota(0.001, burst=3)
    assert aws.faults.quota == 0.001
    statuses = [send(aws, "/portals")[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    aws.faults.set_quota(100, burst=1)
    for _ in range(3):
        assert send(aws, "/portals")[0] == 200
        # At the least what it takes until another one may come.
        time.sleep(0.02)
    aws.faults.quota = None
    assert {send(aws, "/portals")[0] for _ in range(20)} == {200}


@pytest.mark.parametrize(
    "quota", [{"quota": 0}, {"quota": -1}, {"quota": 5, "burst": 0.5}]
)
def test_a_quota_that_lets_nothing_through_is_refused(
    aws: Emulator, quota: dict[str, float]
) -> None:
    status, answer = control(aws, "POST", "faults", quota)
    assert status == 400
    assert "The quota must be more than 0" in str(answer)
    assert aws.faults.quota is None


@pytest.mark.parametrize("member", ["latency", "silence"])
@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_seconds_that_are_none_are_refused(
    aws: Emulator, member: str, seconds: float
) -> None:
    status, answer = control(aws, "POST", "faults", {member: seconds})
    assert status == 400
    assert f"{member} must be a number of seconds" in str(answer)
    assert send(aws, "/portals")[0] == 200


def test_the_next_failures_come_before_those_that_do_not_end(aws: Emulator) -> None:
    aws.faults.always("ListPortals", Fault.UNAVAILABLE)
    aws.faults.fail_next("ListPortals", Fault.BAD_GATEWAY)
    assert [send(aws, "/portals")[0] for _ in range(3)] == [502, 503, 503]


def test_faults_by_chance_are_the_same_for_the_same_seed(aws: Emulator) -> None:
    shares = {Fault.UNAVAILABLE: 0.3, Fault.BAD_GATEWAY: 0.2}

    def statuses(seed: int) -> list[int]:
        aws.faults.at_random(shares, seed=seed, operations=["ListPortals"])
        return [send(aws, "/portals")[0] for _ in range(40)]

    first = statuses(1)
    assert set(first) == {200, 502, 503}
    assert statuses(1) == first
    assert statuses(2) != first
    assert {send(aws, "/asset-models")[0] for _ in range(20)} == {200}
    with pytest.raises(ValueError, match="more than 1"):
        aws.faults.at_random({Fault.DROP: 0.6, Fault.SILENCE: 0.6})


def test_a_hook_can_change_the_plant_before_an_answer(aws: Emulator) -> None:
    doomed = aws.plant.portals[1]["id"]

    def delete(call: Call) -> Fault | None:
        if call.parameter("portalId") == doomed:
            aws.plant.delete("portals", doomed)
        return Fault.UNAVAILABLE if call.number == 3 else None

    aws.faults.before("ListProjects", delete)
    answers = [
        send(aws, f"/projects?portalId={portal['id']}")[0]
        for portal in aws.plant.portals
    ]
    assert answers == [200, 404, 503]


def test_faults_are_cleared(aws: Emulator) -> None:
    aws.faults.always("*", Fault.UNAVAILABLE)
    aws.faults.latency = 3600
    aws.faults.hold = lambda: True
    aws.faults.clear()
    assert send(aws, "/portals")[0] == 200


# The controls


def control(
    aws: Emulator, method: str, path: str, content: object = None
) -> tuple[int, object]:
    host = aws.endpoint_url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as line:
        body = None if content is None else json.dumps(content)
        line.request(method, f"/_emulator/{path}", body)
        response = line.getresponse()
        return response.status, json.loads(response.read())


def test_faults_are_switched_on_over_http(aws: Emulator) -> None:
    faults = {
        "latency": 0.1,
        "fail_next": [{"operation": "ListPortals", "fault": "unavailable"}],
        "always": [{"operation": "ListProjects", "fault": "throttle"}],
        "deny": ["iotsitewise:ListAssetModels"],
    }
    assert control(aws, "POST", "faults", faults) == (200, {})
    portal = aws.plant.portals[0]["id"]
    begin = time.monotonic()
    assert send(aws, "/portals")[0] == 503
    assert time.monotonic() - begin >= 0.1
    assert send(aws, "/portals")[0] == 200
    assert send(aws, f"/projects?portalId={portal}")[0] == 429
    assert send(aws, "/asset-models")[0] == 403
    status, stats = control(aws, "GET", "stats")
    assert status == 200
    assert isinstance(stats, dict)
    assert stats["requests"] == {
        "ListPortals": 2,
        "ListProjects": 1,
        "ListAssetModels": 1,
    }
    assert control(aws, "POST", "reset") == (200, {})
    assert send(aws, "/asset-models")[0] == 200
    assert aws.stats.total == 1


def test_chance_and_quota_are_set_over_http(aws: Emulator) -> None:
    chance = {"at_random": {"bad-gateway": 1}, "seed": 3, "operations": ["ListPortals"]}
    assert control(aws, "POST", "faults", chance) == (200, {})
    assert send(aws, "/portals")[0] == 502
    quota = {"clear": True, "quota": 0.001, "burst": 1, "silence": 1}
    assert control(aws, "POST", "faults", quota) == (200, {})
    assert [send(aws, "/portals")[0] for _ in range(2)] == [200, 429]


def test_the_plant_is_read_and_changed_over_http(aws: Emulator) -> None:
    portal = aws.plant.portals[0]["id"]
    status, plant = control(aws, "GET", "plant")
    assert status == 200
    assert isinstance(plant, dict)
    assert plant["portals"] == list(aws.plant.portals)
    assert control(aws, "GET", "plant/portals") == (200, list(aws.plant.portals))
    by_portal = {key: list(value) for key, value in aws.plant.projects.items()}
    assert control(aws, "GET", "plant/projects") == (200, by_portal)
    assert control(aws, "DELETE", f"plant/portals/{portal}") == (200, {})
    assert portal not in aws.plant.projects


def test_a_record_is_added_over_http(aws: Emulator) -> None:
    portal = aws.plant.portals[1]["id"]
    begin = time.time_ns() // 1_000_000 / 1000
    made_up = control(aws, "POST", "plant/portals")
    assert made_up == (200, aws.plant.portals[-1])
    assert len(aws.plant.portals) == len(aws.plant.projects) == 4
    given = {"name": "Line 9", "lastUpdateDate": 1.5e9}
    added = control(aws, "POST", f"plant/projects?parent={portal}", given)
    project = aws.plant.projects[portal][-1]
    assert added == (200, project)
    assert {**project, **given} == project
    for record in (aws.plant.portals[-1], project):
        assert begin <= record["creationDate"] <= time.time()


def test_an_id_that_exists_is_refused_over_http(aws: Emulator) -> None:
    portal = aws.plant.portals[0]
    before = aws.plant.projects
    for method, path, content in (
        ("POST", "plant/portals", {"id": portal["id"]}),
        ("PATCH", f"plant/portals/{portal['id']}", {"id": "other"}),
    ):
        status, answer = control(aws, method, path, content)
        assert status == 400
        assert isinstance(answer, dict)
        assert answer["message"].startswith("ValueError: ")
    assert aws.plant.projects == before


def test_a_record_is_changed_over_http_and_dated(aws: Emulator) -> None:
    first, second = aws.plant.asset_models[:2]
    begin = time.time_ns() // 1_000_000 / 1000
    answers = [
        control(aws, "PATCH", f"plant/asset_models/{first['id']}", {"name": "New"}),
        control(aws, "PATCH", f"plant/asset_models/{second['id']}"),
        control(
            *(aws, "PATCH", f"plant/asset_models/{second['id']}"),
            {"lastUpdateDate": 1.5e9, "colour": None, "kind": 7},
        ),
    ]
    assert [status for status, _ in answers] == [200, 200, 200]
    new, touched, dated = (record for _, record in answers)
    assert isinstance(new, dict)
    assert isinstance(touched, dict)
    assert new == {**first, "name": "New", "lastUpdateDate": new["lastUpdateDate"]}
    for record in (new, touched):
        assert begin <= record["lastUpdateDate"] <= time.time()
    assert dated == {
        **second,
        "lastUpdateDate": 1.5e9,
        "colour": None,
        "kind": 7,
    }
    assert list(aws.plant.asset_models[:2]) == [new, dated]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("faults", {"latencies": 1}),
        ("faults", {"fail_next": [{"fault": "earthquake"}]}),
        ("faults", {"fail_next": [{"operation": "ListPortals"}]}),
        ("plant/portals", []),
    ],
)
def test_a_wrong_control_is_refused(aws: Emulator, path: str, content: object) -> None:
    assert control(aws, "POST", path, content)[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "coffee"),
        ("POST", "coffee"),
        ("DELETE", "stats"),
        ("GET", "plant/coffee"),
        ("POST", "plant/projects"),
        ("POST", "plant/projects?parent=unknown"),
        ("PATCH", "plant/portals/unknown"),
        ("DELETE", "plant/portals/unknown"),
        ("POST", "plant/portals/unknown"),
    ],
)
def test_what_does_not_exist_is_not_found(
    aws: Emulator, method: str, path: str
) -> None:
    status, answer = control(aws, method, path)
    assert status == 404
    assert isinstance(answer, dict)
    assert answer["message"].startswith("Not found: ")


@given(
    path=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40),
    values=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
)
def test_what_botocore_signs_is_what_the_emulator_verifies(
    path: str,
    values: dict[str, str],
) -> None:
    """Of any path and query, without a server in between."""
    key = AccessKey("AKIA", "secret", None, None, "arn:aws:iam::123456789012:user/x")
    keys = Keyring()
    keys.add(key)
    clean = {
        name.encode(errors="replace").decode(): value.encode(errors="replace").decode()
        for name, value in values.items()
        if name
    }
    request = AWSRequest("GET", f"http://localhost/{_segment(path)}", params=clean)
    SigV4Auth(Credentials("AKIA", "secret"), "iotsitewise", "eu-west-1").add_auth(
        request
    )
    sent = request.prepare()
    target = str(sent.url).removeprefix("http://localhost")
    sent_path, _, query = target.partition("?")
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    seen = SignedRequest("GET", sent_path, query, {"host": "localhost", **headers})
    now = datetime.now(timezone.utc)
    found = verify(seen, keys, region="eu-west-1", service="iotsitewise", now=now)
    assert found is key


def _segment(path: str) -> str:
    return "".join(c if c.isalnum() or c in "-._~/" else f"%{ord(c):02X}" for c in path)
