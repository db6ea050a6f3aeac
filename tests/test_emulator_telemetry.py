"""Telemetry over HTTP: entries, pages, errors, windows and faults."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import Call, Emulator, Fault, Plant, families
from tests.operations import MODEL, account, known
from tests.operations import OPERATIONS as LISTS
from tests.telemetry import (
    AGGREGATES,
    HISTORY,
    LATEST,
    MEMBERS,
    NOON,
    PATHS,
    Value,
    ask,
    entry,
    failed,
    hourly,
    pages,
    plant,
    post,
    refusal,
    value,
    values,
)
from tests.test_emulator import error_code, run_aws_cli, sitewise

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS = (LATEST, HISTORY, AGGREGATES)
MOST = {LATEST: 128, HISTORY: 16, AGGREGATES: 16}
UUID = "11111111-2222-4333-8444-555555555555"
of_each = pytest.mark.parametrize("operation", OPERATIONS)


@pytest.fixture
def aws() -> Iterator[Emulator]:
    """Six time series of ten values each, one a second from noon on."""
    made = plant(*["DOUBLE"] * 6)
    for number in range(6):
        made.values.replace(
            f"s{number}", [value(NOON + second, number + 0.5) for second in range(10)]
        )
    with Emulator(plant=made) as emulator:
        yield emulator


def some(operation: str, *names: str) -> list[Value]:
    """Return valid entries for an operation."""
    return [
        hourly(name) if operation == AGGREGATES else entry(name)
        for name in names or ("s0",)
    ]


# Requests that AWS refuses


@of_each
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"entries": null}', b"{}"]
)
def test_a_body_without_entries_is_refused(
    aws: Emulator, operation: str, body: bytes
) -> None:
    refusal(aws, operation, body)


@of_each
def test_a_request_has_at_least_one_entry_and_a_maximum(
    aws: Emulator, operation: str
) -> None:
    names = [f"s{number}" for number in range(MOST[operation])]
    page = ask(aws, operation, some(operation, *names))
    assert len(page["errorEntries"]) == MOST[operation] - 6
    wrongs: list[object] = [[], {}, "x", [None], ["x"], some(operation, *names, "one")]
    for wrong in wrongs:
        assert "entries" in refusal(aws, operation, {"entries": wrong})


@of_each
def test_entry_ids_are_unique(aws: Emulator, operation: str) -> None:
    assert "entryId" in refusal(
        aws, operation, {"entries": some(operation, "s0", "s1", "s0")}
    )


WRONG_MEMBERS: list[tuple[str, list[object]]] = [
    ("entryId", [None, "", "a b", "x" * 65, 7, "é"]),
    ("propertyAlias", [None, "", "a\n", 7, "x" * 2049]),
    ("assetId", [UUID]),
    ("propertyId", [UUID, "x"]),
]
WRONG_OF_WINDOWS: list[tuple[str, list[object]]] = [
    ("startDate", [-1, 1.5, "2024-01-01", True, NOON + 86_400, NOON + 86_401]),
    ("endDate", [-1, NOON + 0.5, [], NOON, 9_223_372_036_854_775]),
    ("qualities", [[], ["GOOD", "BAD"], ["FINE"], "GOOD", [None]]),
    ("timeOrdering", ["UP", "ascending", 1]),
]
WRONG_OF_AGGREGATES: list[tuple[str, list[object]]] = [
    ("startDate", [None]),
    ("endDate", [None]),
    ("aggregateTypes", [None, [], ["MEDIAN"], "SUM", [1]]),
    ("resolution", [None, "5m", "1H", 60]),
]


@pytest.mark.parametrize(
    ("operation", "member", "wrong"),
    [
        (operation, member, each)
        for operations, members in (
            (OPERATIONS, WRONG_MEMBERS),
            ((HISTORY, AGGREGATES), WRONG_OF_WINDOWS),
            ((AGGREGATES,), WRONG_OF_AGGREGATES),
        )
        for operation in operations
        for member, wrong in members
        for each in wrong
    ],
)
def test_a_wrong_member_of_an_entry_is_refused(
    aws: Emulator, operation: str, member: str, wrong: object
) -> None:
    entries = [hourly("s1"), {**hourly("s0"), member: wrong}]
    assert member in refusal(aws, operation, {"entries": entries})


@of_each
def test_an_entry_has_a_property_or_an_alias(aws: Emulator, operation: str) -> None:
    (right,) = some(operation)
    both = {"assetId": UUID, "propertyId": UUID}
    without = {name: right[name] for name in right if name != "propertyAlias"}
    for wrong in (without, {**right, **both}, {**without, "assetId": UUID}):
        assert "propertyAlias" in refusal(aws, operation, {"entries": [wrong]})


@pytest.mark.parametrize(("operation", "most"), [(HISTORY, 20_000), (AGGREGATES, 4000)])
def test_max_results_has_a_range(aws: Emulator, operation: str, most: int) -> None:
    for right in (1, most):
        ask(aws, operation, some(operation), maxResults=right)
    wrongs: list[object] = [0, -1, most + 1, 1.5, "7", True, []]
    for wrong in wrongs:
        body = {"entries": some(operation), "maxResults": wrong}
        assert "maxResults" in refusal(aws, operation, body)


def test_a_signature_is_checked_over_the_body(aws: Emulator) -> None:
    signed, sent = (
        json.dumps({"entries": some(LATEST, name)}).encode() for name in ("s0", "s1")
    )
    status, headers, _ = post(aws, PATHS[LATEST], signed, sent=sent)
    assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")


# Pages and tokens


def test_pages_have_as_many_values_as_asked_for_over_all_entries(
    aws: Emulator,
) -> None:
    entries = some(HISTORY, "s0", "s1", "s2")
    found = [
        {name: len(of_entry) for name, of_entry in values(HISTORY, [page]).items()}
        for page in pages(aws, HISTORY, entries, maxResults=7)
    ]
    assert found == [
        {"s0": 7},
        {"s0": 3, "s1": 4},
        {"s1": 6, "s2": 1},
        {"s2": 7},
        {"s2": 2},
    ]


def test_a_page_has_a_hundred_values_unless_a_number_is_given(aws: Emulator) -> None:
    aws.plant.values.regular("s0", 10)
    window = {"startDate": NOON, "endDate": NOON + 1500}
    sizes = [
        len(page["successEntries"][0][MEMBERS[HISTORY]])
        for page in pages(aws, HISTORY, [entry("s0", **window)])
    ]
    assert sizes == [100, 50]


def test_a_page_ends_at_four_megabytes(aws: Emulator) -> None:
    aws.plant.change("time_series", "s0", dataType="STRING")
    texts = [value(NOON + second, "x" * 1024) for second in range(5000)]
    aws.plant.values.replace("s0", texts)
    found = list(pages(aws, HISTORY, some(HISTORY), maxResults=20_000))
    assert values(HISTORY, found) == {"s0": texts}
    assert len(found) == 2
    assert 3.9e6 < len(json.dumps(found[0], separators=(",", ":"))) < 4.2e6


def test_the_latest_values_come_a_hundred_at_a_time() -> None:
    made = plant(*["DOUBLE"] * 128)
    for number in range(128):
        # Entries without a value do not count.
        if number % 64:
            made.values.add(f"s{number}", [value(NOON, float(number))])
    with Emulator(plant=made) as aws:
        entries = some(LATEST, *(f"s{number}" for number in range(128)))
        first, second = pages(aws, LATEST, entries)
    assert first["successEntries"][0] == {"entryId": "s0"}
    assert len(first["successEntries"]) == 102
    assert len(second["successEntries"]) == 26
    assert len(second["skippedEntries"]) == 102


def test_finished_entries_are_skipped_with_their_status(aws: Emulator) -> None:
    aws.deny_series("s1")
    began = int(time.time())
    entries = some(HISTORY, "unknown", "s0", "s1", "s2", "s3")
    first, second, third = pages(aws, HISTORY, entries, maxResults=12)
    assert failed(first) == {
        "unknown": "ResourceNotFoundException",
        "s1": "AccessDeniedException",
    }
    assert first["skippedEntries"] == []
    assert failed(second) == failed(third) == {}
    skipped = second["skippedEntries"]
    assert [each["entryId"] for each in skipped] == ["unknown", "s0", "s1"]
    for each, code in zip(skipped, (*failed(first).values(), None), strict=True):
        if each["entryId"] == "s0":
            assert each == {"entryId": "s0", "completionStatus": "SUCCESS"}
            continue
        assert each["completionStatus"] == "ERROR"
        assert each["errorInfo"]["errorCode"] in failed(first).values(), code
        assert began <= each["errorInfo"]["errorTimestamp"] <= time.time()
    assert third["skippedEntries"][:3] == skipped
    assert third["skippedEntries"][3:] == [
        {"entryId": "s2", "completionStatus": "SUCCESS"}
    ]


@pytest.mark.parametrize("operation", [HISTORY, AGGREGATES])
def test_a_token_is_good_for_the_same_request_only(
    aws: Emulator, operation: str
) -> None:
    other = HISTORY if operation == AGGREGATES else AGGREGATES
    aws.plant.values.regular("s0", 60)
    aws.plant.values.regular("s1", 60)
    entries = [hourly("s0"), hourly("s1")]
    token = ask(aws, operation, entries, maxResults=3)["nextToken"]
    same = [dict(reversed(list(each.items()))) for each in entries]
    assert ask(aws, operation, same, nextToken=token, maxResults=5)["successEntries"]
    for others in (entries[::-1], entries[:1], [hourly("s0"), hourly("s2")]):
        refusal(aws, operation, {"entries": others, "nextToken": token})
    refusal(aws, other, {"entries": entries, "nextToken": token})
    for wrong in ("", "x", "bm9uZQ==", token[:-8], 7, "é"):
        message = refusal(aws, operation, {"entries": entries, "nextToken": wrong})
        assert "nextToken" in message


def test_values_that_arrive_between_two_pages_neither_skip_nor_repeat_any(
    aws: Emulator,
) -> None:
    found = []
    for number, page in enumerate(pages(aws, HISTORY, some(HISTORY), maxResults=3)):
        found.append(page)
        aws.plant.values.add("s0", [value(NOON - 1 - number), value(NOON + 8, 9.0, 1)])
    (got,) = values(HISTORY, found).values()
    late = value(NOON + 8, 9.0, 1)
    on_time = [value(NOON + second, 0.5) for second in range(10)]
    assert got == [*on_time[:9], late, on_time[9]]


TIMES = st.integers(NOON - 3 * 86_400, NOON + 3 * 86_400)


@settings(deadline=None, max_examples=40)
@given(
    windows=st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=4),
    size=st.integers(1, 400),
    order=st.sampled_from(["ASCENDING", "DESCENDING"]),
    quality=st.none() | st.sampled_from(["GOOD", "BAD", "UNCERTAIN"]),
)
def test_pages_of_any_size_are_together_the_values_of_any_window(
    hostile: Emulator,
    windows: list[tuple[int, int]],
    size: int,
    order: str,
    quality: str | None,
) -> None:
    series = [
        each
        for each in hostile.plant.listing("time_series").records
        if each["dataType"] in {"DOUBLE", "STRING", "INTEGER"} and "assetId" in each
    ]
    entries, expected = [], {}
    for number, (one, other) in enumerate(windows):
        after, until = min(one, other), max(one, other) + 1
        asked = series[number * 7 % len(series)]
        entries.append(
            {
                "entryId": str(number),
                "assetId": asked["assetId"],
                "propertyId": asked["propertyId"],
                "startDate": after,
                "endDate": until,
                "timeOrdering": order,
                **({} if quality is None else {"qualities": [quality]}),
            }
        )
        all_values = hostile.plant.values.between(asked["timeSeriesId"], after, until)
        wanted = [
            each
            for each in all_values
            if quality in {None, each.get("quality", "GOOD")}
        ]
        expected[str(number)] = wanted if order == "ASCENDING" else wanted[::-1]
    found = list(pages(hostile, HISTORY, entries, maxResults=size))
    assert values(HISTORY, found) == expected
    sizes = [sum(map(len, values(HISTORY, [page]).values())) for page in found]
    assert all(each == size for each in sizes[:-1])


@pytest.fixture(scope="module")
def hostile() -> Iterator[Emulator]:
    with account("hostile", asset_models=8) as emulator:
        for series in emulator.plant.listing("time_series").records:
            # So that all have values in the windows of the test.
            created = {"timeSeriesCreationDate": 1e9}
            emulator.plant.change("time_series", series["timeSeriesId"], **created)
        yield emulator


# Windows


def test_a_window_does_not_contain_its_start_but_its_end(aws: Emulator) -> None:
    inside = [
        value(NOON, nanos=1),
        value(NOON + 1),
        value(NOON + 2, nanos=0),
        value(NOON + 2, 2.5, nanos=None, quality="UNCERTAIN"),
    ]
    outside = [value(NOON), *(value(NOON + 2, nanos=each) for each in (1, 500_000_000))]
    aws.plant.values.replace("s0", [*outside, *inside])
    asked = entry("s0", startDate=NOON, endDate=NOON + 2)
    assert ask(aws, HISTORY, [asked])["successEntries"] == [
        {"entryId": "s0", MEMBERS[HISTORY]: inside}
    ]


def test_without_dates_a_history_is_from_the_beginning_until_now(
    aws: Emulator,
) -> None:
    now = int(time.time())
    old, recent, future = value(1), value(now - 5), value(now + 1000)
    aws.plant.values.replace("s0", [future, old, recent])
    assert values(HISTORY, [ask(aws, HISTORY, some(HISTORY))])["s0"] == [old, recent]


def test_values_of_the_future_do_not_exist_yet(aws: Emulator) -> None:
    now = int(time.time())
    past = value(now - 3600)
    aws.plant.values.replace("s0", [past, value(now + 3600)])
    window = {"startDate": now - 7200, "endDate": now + 7200}
    assert values(HISTORY, [ask(aws, HISTORY, [entry("s0", **window)])])["s0"] == [past]
    assert values(LATEST, [ask(aws, LATEST, some(LATEST))])["s0"] == [past]
    aws.clock_offset = -100
    aws.plant.values.replace("s0", [past, value(now - 50)])
    assert values(LATEST, [ask(aws, LATEST, some(LATEST))])["s0"] == [past]


@pytest.mark.parametrize("quality", ["GOOD", "BAD", "UNCERTAIN"])
def test_only_values_of_a_quality_are_read(aws: Emulator, quality: str) -> None:
    every = [
        value(NOON + 1, 1.0, quality=each) for each in ("BAD", "GOOD", "UNCERTAIN")
    ]
    without = {**value(NOON + 2), "quality": "GOOD"}
    del without["quality"]
    aws.plant.values.replace("s0", [*every, without])
    found = ask(aws, HISTORY, [entry("s0", qualities=[quality])])
    expected = [each for each in every if each["quality"] == quality]
    # A value without quality counts as a good one.
    expected += [without] if quality == "GOOD" else []
    assert values(HISTORY, [found])["s0"] == expected


def test_a_series_is_found_by_its_property_or_alias() -> None:
    made = Plant()
    ids = {"assetId": UUID, "propertyId": UUID.replace("1", "2")}
    series = {"timeSeriesId": "x", "dataType": "DOUBLE"}
    made.add("time_series", {**series, **ids, "alias": "/a", "timeSeriesId": "both"})
    made.add("time_series", {**series, "alias": "/b", "timeSeriesId": "alone"})
    for number, name in enumerate(("both", "alone"), 1):
        made.values.replace(name, [value(number)])
    asked = [
        {"entryId": "property", **ids},
        {"entryId": "alias", "propertyAlias": "/a"},
        {"entryId": "alone", "propertyAlias": "/b"},
        {"entryId": "other", "assetId": UUID, "propertyId": UUID},
    ]
    with Emulator(plant=made) as aws:
        page = ask(aws, LATEST, asked)
        one, two = [value(1)], [value(2)]
        found = values(LATEST, [page])
        assert found == {"property": one, "alias": one, "alone": two}
        assert failed(page) == {"other": "ResourceNotFoundException"}
        made.change("time_series", "alone", alias="/c")
        made.delete("time_series", "both")
        page = ask(aws, LATEST, asked)
    assert page["successEntries"] == []
    assert set(failed(page).values()) == {"ResourceNotFoundException"}


# Errors, permissions and faults


def test_only_count_is_available_of_a_series_that_is_not_numeric() -> None:
    types = ("DOUBLE", "INTEGER", "STRING", "BOOLEAN", "STRUCT")
    names = [f"s{number}" for number in range(len(types))]
    with Emulator(plant=plant(*types)) as aws:
        counts = [hourly(name, aggregateTypes=["COUNT"]) for name in names]
        assert set(failed(ask(aws, AGGREGATES, counts))) == {"s4"}
        sums = [hourly(name, aggregateTypes=["COUNT", "SUM"]) for name in names]
        errors = failed(ask(aws, AGGREGATES, sums))
        for operation in (LATEST, HISTORY):
            assert failed(ask(aws, operation, some(operation, *names))) == {
                "s4": "InvalidRequestException"
            }
    assert errors == dict.fromkeys(("s2", "s3", "s4"), "InvalidRequestException")


@of_each
def test_a_series_is_denied_and_allowed_again(aws: Emulator, operation: str) -> None:
    def denied() -> dict[str, str]:
        return failed(ask(aws, operation, some(operation, "s0", "s1")))

    def control(name: str, body: object) -> None:
        assert post(aws, f"/_emulator/{name}", json.dumps(body).encode())[0] == 200

    code = "AccessDeniedException"
    aws.deny_series("s0", "s1")
    assert denied() == {"s0": code, "s1": code}
    aws.allow_series("s0")
    assert denied() == {"s1": code}
    control("faults", {"deny_series": ["s0"]})
    assert denied() == {"s0": code}
    control("reset", {})
    assert denied() == {}


@of_each
def test_a_denied_action_refuses_the_call(aws: Emulator, operation: str) -> None:
    aws.deny(f"iotsitewise:{operation}")
    with sitewise(aws) as client, pytest.raises(ClientError) as failure:
        getattr(client, xform_name(operation))(entries=some(operation))
    assert error_code(failure) == ("AccessDeniedException", 403)
    assert f"iotsitewise:{operation}" in str(failure.value)


@of_each
def test_faults_of_pages_lead_to_the_same_page_again(
    aws: Emulator, operation: str
) -> None:
    entries = some(operation, "unknown", "s0", "s1")
    right = ask(aws, operation, entries)
    tokens = []
    for fault in (Fault.EMPTY_PAGE, Fault.REPEATED_PAGE, *[Fault.SAME_TOKEN] * 2):
        aws.faults.fail_next(operation, fault)
        page = ask(aws, operation, entries)
        tokens.append(page.pop("nextToken"))
        empty: dict[str, list[object]] = {name: [] for name in right}
        assert page == (empty if fault is Fault.EMPTY_PAGE else right)
        assert ask(aws, operation, entries, nextToken=tokens[-1]) == right
    assert tokens[2] == tokens[3]
    assert len(set(tokens)) == 3


@of_each
def test_other_faults_replace_the_answer(aws: Emulator, operation: str) -> None:
    body = json.dumps({"entries": some(operation)}).encode()
    whole = post(aws, PATHS[operation], body)[2]
    for fault, status, answer in (
        (Fault.THROTTLE, 429, None),
        (Fault.EMPTY_OBJECT, 200, b"{}"),
        (Fault.CUT_SHORT, 200, whole[: len(whole) * 2 // 3]),
    ):
        aws.faults.fail_next(operation, fault)
        found, _, content = post(aws, PATHS[operation], body)
        assert found == status
        assert answer in {None, content}


@of_each
def test_a_hook_sees_the_body(aws: Emulator, operation: str) -> None:
    seen: list[Call] = []
    aws.faults.before(operation, seen.append)
    entries = some(operation, "s0", "s1")
    ask(aws, operation, entries)
    post(aws, PATHS[operation], b"not JSON")
    assert [call.content for call in seen] == [{"entries": entries}, None]


# Other clients


def test_the_operations_are_those_of_the_emulator() -> None:
    by_method = {
        method: [each.name for each in families.OPERATIONS if each.method == method]
        for method in ("GET", "POST")
    }
    assert sorted(by_method["POST"]) == sorted(OPERATIONS)
    assert sorted(by_method["GET"]) == sorted(LISTS)
    for name in OPERATIONS:
        assert MODEL.operation_model(name).http["requestUri"] == PATHS[name]


@of_each
def test_answers_have_only_members_that_botocore_knows(
    hostile: Emulator, operation: str
) -> None:
    every = hostile.plant.listing("time_series").records
    entries = [
        {**hourly(f"e{number}"), "propertyAlias": series["alias"]}
        for number, series in enumerate(each for each in every if "alias" in each)
    ][:16]
    shape = MODEL.operation_model(operation).output_shape
    found = list(pages(hostile, operation, entries))
    assert [known(shape, page) for page in found] == found
    assert {each for page in found for each in page if page[each]} >= {
        "successEntries",
        "errorEntries",
    }


def test_boto3_reads_all_pages_of_a_history(aws: Emulator) -> None:
    noon = datetime.fromtimestamp(NOON, timezone.utc)
    entries = [entry("s0", startDate=noon), entry("s1")]
    found: list[Value] = []
    token: Value = {}
    with sitewise(aws) as client:
        while not found or token:
            page = client.batch_get_asset_property_value_history(
                entries=entries, maxResults=4, **token
            )
            found.append(page)
            token = {name: page[name] for name in page if name == "nextToken"}
    read = aws.plant.values.between
    expected = {"s0": read("s0", NOON), "s1": read("s1")}
    assert values(HISTORY, found) == expected
    assert len(found) == 5


@of_each
def test_the_aws_cli_reads_values(aws: Emulator, operation: str) -> None:
    entries = some(operation, "s0", "s1", "unknown")
    done = run_aws_cli(
        aws, xform_name(operation, "-"), "--entries", json.dumps(entries)
    )
    assert done.stderr == ""
    page = ask(aws, operation, entries)
    found = json.loads(done.stdout)
    assert values(operation, [found]).keys() == {"s0", "s1"}
    if operation != AGGREGATES:
        assert found == page
