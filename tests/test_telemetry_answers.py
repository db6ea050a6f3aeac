"""Answers with status 200 and an odd body, to the telemetry streams."""

from __future__ import annotations

import json
import typing as t

import pytest

from emulator import Emulator
from emulator.faults import Answer
from tests import telemetry
from tests.conftest import discover, select, static
from tests.test_incremental import in_process

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Message, Run

LATEST, HISTORY, AGGREGATES = (
    *("property_values", "property_value_history", "property_aggregates"),
)
OPERATIONS = {
    LATEST: telemetry.LATEST,
    HISTORY: telemetry.HISTORY,
    AGGREGATES: telemetry.AGGREGATES,
}
Extract: t.TypeAlias = "Callable[[str, str | bytes], Run]"


@pytest.fixture(scope="module")
def one_series() -> Iterator[Emulator]:
    with Emulator(plant=telemetry.plant("DOUBLE")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def entries() -> dict[str, Message]:
    """The entry of the catalog for each stream."""
    catalog = select(discover("telemetry"), *OPERATIONS)
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


@pytest.fixture
def extract(one_series: Emulator, entries: dict[str, Message]) -> Extract:
    """Run the tap for a stream whose operation answers with a body, always."""
    aws = one_series

    def run(stream: str, body: str | bytes) -> Run:
        aws.faults.clear()
        content = body.encode() if isinstance(body, str) else body
        aws.faults.always(OPERATIONS[stream], Answer(200, content))
        config = static(
            aws,
            extra_streams=[stream],
            start_date="2024-05-31",
            end_date="2024-06-01",
            max_attempts=1,
        )
        return in_process(config, catalog={"streams": [entries[stream]]})

    return run


def page(stream: str, content: str, **more: object) -> str:
    """Return a page with one entry, whose values are this JSON."""
    name = telemetry.MEMBERS[OPERATIONS[stream]]
    success = f'{{"entryId":"0","{name}":{content}}}'
    others = json.dumps({"errorEntries": [], "skippedEntries": [], **more})
    return f'{{"successEntries":[{success}],{others[1:]}'


def value(variant: str, time: str = '{"timeInSeconds":5}', more: str = "") -> str:
    return f'{{"value":{variant},"timestamp":{time}{more}}}'


def aggregate(members: str, time: str = "5", quality: str = '"GOOD"') -> str:
    return f'{{"value":{members},"timestamp":{time},"quality":{quality}}}'


NOT_A_PAGE = "the answer was cut short or is not a page of "
# Python 3.13 decodes some thousand levels.
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        *("[]", "null", "{}", '{"nextToken":"abc"}', DEEP),
        '{"successEntries":[null],"errorEntries":[]}',
        '{"successEntries":[],"errorEntries":[5]}',
        '{"successEntries":[],"errorEntries":[{"entryId":"0"}]}',
        '{"successEntries":[],"nextToken":""}',
        '{"successEntries":[],"nextToken":5}',
        page(HISTORY, f"[{value(DEEP)}]"),
        page(HISTORY, "[" + value('{"stringValue":"X"}') + "]")
        .encode()
        .replace(b"X", b"\xff"),
    ],
    ids=lambda body: str(body)[:60],
)
def test_a_body_that_is_not_a_page_is_never_taken_for_an_empty_one(
    extract: Extract, body: str | bytes
) -> None:
    run = extract(HISTORY, body)

    assert run.code == 1
    assert NOT_A_PAGE in run.log
    assert not any(state["bookmarks"].get(HISTORY) for state in run.states)


BIG = "9" * 320
VARIANTS = (
    *("null", "{}", '{"doubleValue":true}', '{"doubleValue":"12"}'),
    *('{"doubleValue":1e400}', '{"integerValue":' + BIG * 15 + "}"),
    '{"nullValue":{"valueType":null}}',
)
TIMES = (
    *("null", '{"timeInSeconds":1.5}', '{"timeInSeconds":' + BIG + "}"),
    '{"timeInSeconds":5,"offsetInNanos":-1}',
)
WRONG = [
    *((HISTORY, text) for text in ("{}", "[null]")),
    *((HISTORY, f"[{value(variant)}]") for variant in VARIANTS),
    *((HISTORY, "[" + value('{"doubleValue":1}', time) + "]") for time in TIMES),
    (LATEST, "5"),
    *((AGGREGATES, text) for text in ("{}", "[null]")),
    *(
        (AGGREGATES, "[" + aggregate('{"average":' + text + "}") + "]")
        for text in ('"x"', "[]", BIG)
    ),
    *((AGGREGATES, f"[{aggregate('{}', time)}]") for time in ("null", BIG)),
    (AGGREGATES, f"[{aggregate('{}', '5', '[1]')}]"),
]


@pytest.mark.parametrize(
    ("stream", "content"), WRONG, ids=[str(number) for number in range(len(WRONG))]
)
def test_a_value_of_another_type_ends_the_run_with_one_reason(
    extract: Extract, stream: str, content: str
) -> None:
    run = extract(stream, page(stream, content))

    assert run.code == 1
    assert run.log.startswith(f"{OPERATIONS[stream]}: ")
    assert run.log.endswith("report this line as an issue of the tap")
    assert "\n" not in run.log
    assert len(run.log) < 500
    assert not any(state["bookmarks"].get(stream) for state in run.states)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"errorCode": "Unheard-of", "errorMessage": "No."}, "Unheard-of: No; "),
        ({"errorCode": None, "errorMessage": None}, "None: no message; "),
        ({"errorCode": ["a"], "errorMessage": {"b": 1}}, "['a']: {'b': 1}; "),
        ({"errorCode": "Two\nlines", "errorMessage": "x\r\ny"}, "Two lines: x y; "),
        ({"errorCode": "X", "entryId": "99"}, "has an unknown entryId"),
        ({"errorCode": "X", "entryId": None}, "has an unknown entryId"),
    ],
)
def test_an_entry_that_failed_for_an_unknown_reason_ends_the_run(
    extract: Extract, entry: Message, reason: str
) -> None:
    body = {"successEntries": [], "errorEntries": [{"entryId": "0", **entry}]}

    run = extract(HISTORY, json.dumps(body))

    assert run.code == 1
    assert reason in run.log
    assert "\n" not in run.log


@pytest.mark.parametrize("stream", list(OPERATIONS))
@pytest.mark.parametrize("others", ["[]", "null"])
def test_a_null_counts_as_a_member_that_is_missing(
    extract: Extract, stream: str, others: str
) -> None:
    name = telemetry.MEMBERS[OPERATIONS[stream]]
    body = (
        f'{{"successEntries":[{{"entryId":"0","{name}":null}}],'
        f'"errorEntries":{others},"skippedEntries":{others},"nextToken":null}}'
    )

    run = extract(stream, body)

    assert run.code == 0, run.log
    assert run.records(stream) == []


def test_a_lone_surrogate_is_replaced_and_numbers_stay_as_they_are(
    extract: Extract,
) -> None:
    number = 10**39 + 1
    values = [
        value('{"stringValue":"a\\ud800b"}', more=',"unknown":[[[]]]'),
        value('{"integerValue":' + str(number) + "}", '{"timeInSeconds":6}'),
        value('{"doubleValue":5,"stringValue":null}', '{"timeInSeconds":7}'),
    ]

    run = extract(HISTORY, page(HISTORY, f"[{','.join(values)}]"))

    assert run.code == 0, run.log
    columns = ("string_value", "integer_value", "double_value", "quality")
    assert [tuple(r[name] for name in columns) for r in run.records(HISTORY)] == [
        ("a\N{REPLACEMENT CHARACTER}b", None, None, "UNKNOWN"),
        (None, number, None, "UNKNOWN"),
        (None, None, 5.0, "UNKNOWN"),
    ]
