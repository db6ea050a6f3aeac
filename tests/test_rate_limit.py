"""The limit of requests per second."""

from __future__ import annotations

import json
import math
import signal
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import Emulator
from emulator.faults import Fault
from tap_iot_sitewise.aws.rate_limit import RateLimit
from tests import expected
from tests.conftest import static

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from emulator.faults import Call
    from tests.conftest import TapCommand


class Clock:
    """A clock that only a wait moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        # A machine wakes up late.
        self.now += seconds * 1.01


def times(rate: float, pauses: Sequence[float]) -> list[float]:
    """Return when requests pass, one after the other with a pause in between."""
    clock = Clock()
    limit = RateLimit(rate, clock, clock.sleep)
    passed = []
    for pause in pauses:
        clock.now += pause
        limit.wait()
        passed.append(clock.now)
    return passed


RATES = st.integers(1, 200) | st.floats(0.05, 200)
PAUSES = st.lists(
    st.sampled_from([0.0, 0.0, 0.001, 0.05, 1.0]) | st.floats(0, 3), min_size=2
)


@given(rate=RATES, pauses=PAUSES)
def test_no_second_has_more_requests_than_the_limit(
    rate: float, pauses: list[float]
) -> None:
    passed = times(rate, pauses * 3)

    for index, begin in enumerate(passed):
        within = [at for at in passed[index:] if at < begin + 1]
        assert len(within) <= math.ceil(rate)


@given(rate=RATES, pauses=PAUSES)
def test_no_longer_time_has_more_requests_than_the_limit_allows(
    rate: float, pauses: list[float]
) -> None:
    passed = times(rate, pauses * 3)

    for index, begin in enumerate(passed):
        for count, at in enumerate(passed[index:]):
            assert count <= rate * max(1, at - begin) + 1e-6


@given(rate=RATES, number=st.integers(10, 300))
def test_a_run_without_pauses_is_at_most_a_third_longer_than_the_limit_demands(
    rate: float, number: int
) -> None:
    assert times(rate, [0.0] * number)[-1] <= 1.35 * number / rate


@given(rate=RATES, number=st.integers(10, 300))
def test_requests_that_are_slower_than_the_limit_do_not_wait(
    rate: float, number: int
) -> None:
    pauses = [1.2 / rate] * number

    assert times(rate, pauses)[-1] == pytest.approx(sum(pauses))


# A run


def test_a_run_with_the_quota_as_its_limit_is_never_throttled(
    tap: TapCommand,
) -> None:
    with Emulator(asset_models=3, portals=8, projects_per_portal=2) as aws:
        aws.faults.set_quota(20, burst=20)

        run = tap(static(aws, page_size=1, max_requests_per_second=20)).succeeded()

        assert aws.stats.errors == {}
        assert sum(aws.stats.requests.values()) == 3 + 8 + 2 * 8
        for stream, records in expected.records(aws.plant).items():
            assert run.records(stream) == records


def test_each_attempt_counts(tap: TapCommand, aws: Emulator) -> None:
    attempts: list[Call] = []

    def two_of_three_fail(call: Call) -> Fault | None:
        attempts.append(call)
        return Fault.UNAVAILABLE if len(attempts) % 3 else None

    aws.faults.before("*", two_of_three_fail)
    started = time.monotonic()

    tap(static(aws, max_requests_per_second=10, max_concurrency=1)).succeeded()

    # Three attempts of each request: for asset models, portals, and five portals.
    assert len(attempts) == 3 * 7
    assert time.monotonic() - started >= (len(attempts) - 1) / 10


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (0, "max_requests_per_second must be more than 0, not 0"),
        (-1, "max_requests_per_second must be more than 0, not -1"),
        ("ten", "max_requests_per_second must be a number"),
        (10**400, "max_requests_per_second must be a finite number, not inf"),
    ],
)
def test_a_limit_that_lets_nothing_pass_is_refused(
    tap: TapCommand, aws: Emulator, given: object, problem: str
) -> None:
    run = tap(static(aws, max_requests_per_second=given))

    assert run.code == 1
    assert problem in run.error
    assert aws.stats.requests == {}


@pytest.mark.parametrize("most", [0.04, 1e-320])
def test_a_run_that_waits_for_its_limit_can_be_stopped(
    tap: TapCommand, aws: Emulator, most: float
) -> None:
    process = tap.start(static(aws, max_requests_per_second=most))
    while not aws.stats.total:
        time.sleep(0.01)
    # The next request waits by now, or soon.
    time.sleep(0.2)

    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)

    assert process.returncode == 143
    assert "Traceback" not in log.decode()
    assert aws.stats.total == 1


@pytest.mark.parametrize("given", ["nan", "inf"])
def test_a_limit_that_is_not_a_finite_number_is_refused(
    tap: TapCommand, aws: Emulator, given: str
) -> None:
    environment = {"TAP_IOT_SITEWISE_MAX_REQUESTS_PER_SECOND": given}
    path = tap.file("config.json", json.dumps(static(aws)))

    run = tap(None, "--config", str(path), "--config", "ENV", environment=environment)

    assert run.code == 1
    assert "max_requests_per_second must be a finite number" in run.error
