"""The batch operations of a small plant, asked by a raw client."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator import Emulator, Plant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Value = dict[str, Any]

LATEST = "BatchGetAssetPropertyValue"
HISTORY = "BatchGetAssetPropertyValueHistory"
AGGREGATES = "BatchGetAssetPropertyAggregates"
PATHS = {
    LATEST: "/properties/batch/latest",
    HISTORY: "/properties/batch/history",
    AGGREGATES: "/properties/batch/aggregates",
}
MEMBERS = {
    LATEST: "assetPropertyValue",
    HISTORY: "assetPropertyValueHistory",
    AGGREGATES: "aggregatedValues",
}
NOON = 1_710_936_000
"""20 March 2024, 12:00 in UTC."""


def plant(*data_types: str) -> Plant:
    """Return a plant with a time series "s0", "s1" ... of each data type, all empty.

    Their aliases are "/s0" and so on.
    """
    made = Plant()
    for number, data_type in enumerate(data_types):
        name = f"s{number}"
        series = {"timeSeriesId": name, "alias": f"/{name}", "dataType": data_type}
        made.add("time_series", series)
        made.values.replace(name, [])
    return made


def value(
    seconds: int, number: object = 1.5, nanos: int | None = 0, quality: str = "GOOD"
) -> Value:
    """Return a value in wire form; its member follows from the type of the number."""
    members = {bool: "boolean", int: "integer", float: "double", str: "string"}
    at = {"timeInSeconds": seconds}
    if nanos is not None:
        at["offsetInNanos"] = nanos
    variant = {f"{members[type(number)]}Value": number}
    return {"value": variant, "timestamp": at, "quality": quality}


def entry(name: str, **members: object) -> Value:
    """Return an entry for the time series with an alias such as "/s0"."""
    return {"entryId": name, "propertyAlias": f"/{name}", **members}


def hourly(name: str, **members: object) -> Value:
    """Return an entry for the averages of the day that begins at noon."""
    return entry(
        name,
        **{
            "aggregateTypes": ["AVERAGE"],
            "resolution": "1h",
            "startDate": NOON,
            "endDate": NOON + 86_400,
            **members,
        },
    )


def post(
    aws: Emulator, path: str, body: bytes, *, sent: bytes | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send a signed POST; return status, headers and body of the answer.

    Args:
        aws: The emulator.
        path: The path.
        body: The body that is signed.
        sent: The body that is sent, if it is another one.
    """
    request = AWSRequest("POST", aws.endpoint_url + path, data=body)
    credentials = Credentials(aws.access_key_id, aws.secret_access_key)
    SigV4Auth(credentials, "iotsitewise", aws.region).add_auth(request)
    host = aws.endpoint_url.removeprefix("http://")
    headers = {"Host": host, **dict(request.headers.items())}
    with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as line:
        line.request("POST", path, body if sent is None else sent, headers)
        answer = line.getresponse()
        names = {name.lower(): text for name, text in answer.getheaders()}
        return answer.status, names, answer.read()


def ask(aws: Emulator, operation: str, entries: object, **members: object) -> Value:
    """Return a page."""
    body = json.dumps({"entries": entries, **members}).encode()
    status, _, answer = post(aws, PATHS[operation], body)
    assert status == 200, answer
    page: Value = json.loads(answer)
    lists = {"errorEntries", "successEntries", "skippedEntries"}
    assert set(page) - {"nextToken"} == lists
    return page


def pages(
    aws: Emulator, operation: str, entries: object, **members: object
) -> Iterator[Value]:
    """Yield all pages."""
    token: Value = {}
    while True:
        page = ask(aws, operation, entries, **members, **token)
        yield page
        if "nextToken" not in page:
            return
        token = {"nextToken": page["nextToken"]}


def values(operation: str, all_pages: Iterable[Value]) -> dict[str, list[Value]]:
    """Return the values on pages by the entry's ID."""
    found: dict[str, list[Value]] = {}
    for page in all_pages:
        for success in page["successEntries"]:
            so_far = found.setdefault(success["entryId"], [])
            given = success.get(MEMBERS[operation], [])
            so_far += [given] if operation == LATEST and given else given
    return found


def failed(page: Value) -> dict[str, str]:
    """Return the code of each error entry by the entry's ID."""
    assert all(each["errorMessage"] for each in page["errorEntries"])
    return {each["entryId"]: each["errorCode"] for each in page["errorEntries"]}


def refusal(aws: Emulator, operation: str, body: object) -> str:
    """Return the message of a 400."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, headers, answer = post(aws, PATHS[operation], raw)
    assert (status, headers.get("x-amzn-errortype")) == (
        400,
        "InvalidRequestException",
    ), answer
    return str(json.loads(answer)["message"])
