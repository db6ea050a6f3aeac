"""Habits of Python and of small libraries that the tap works around.

Each test fails once the habit changes: then the workaround that it names can go.
"""

from __future__ import annotations

import io
import json
import typing as t

import msgspec
import pendulum
import pytest


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
    # tap_iot_sitewise.dates.parse_moment
    for text in ("now", "12:30"):
        assert isinstance(pendulum.parse(text), pendulum.DateTime)


def test_msgspec_refuses_half_a_surrogate_pair_that_python_reads() -> None:
    # tap_iot_sitewise.aws.responses.decode
    body = rb'{"name": "\ud800"}'

    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body)

    assert json.loads(body) == {"name": "\ud800"}
