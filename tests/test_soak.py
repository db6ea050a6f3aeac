"""One short soak; ``make soak`` has the long ones."""

from __future__ import annotations

import random

import pytest

from tests.soak import short_soak_of_telemetry, soak


@pytest.mark.parametrize("parity", [0, 1], ids=["certificate", "static"])
def test_what_comes_out_of_random_faults_is_the_plant(parity: int) -> None:
    # Another one each time; it is in the message of a failure.
    seed = random.SystemRandom().randrange(10**6) * 2 + parity

    line = soak(seed, models=6, portals=3, projects=2)

    assert f"| {seed} |" in line


def test_no_value_is_lost_by_random_faults_and_stops() -> None:
    seed = random.SystemRandom().randrange(10**6) * 2 + 1

    line = short_soak_of_telemetry(seed)

    assert f"| {seed} |" in line
