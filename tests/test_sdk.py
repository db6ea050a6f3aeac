"""The SDK's own suite for taps, against an emulated account."""

from __future__ import annotations

import typing as t

import pytest
from singer_sdk.testing import get_tap_test_class

from emulator import Emulator
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests.conftest import static

if t.TYPE_CHECKING:
    from collections.abc import Iterator

# The suite reads its settings when this module is imported, and again when it runs;
# in between the account begins to listen somewhere.
_SETTINGS: dict[str, t.Any] = {
    "aws_region": "eu-west-1",
    "aws_access_key_id": "AKIAEXAMPLE",
    "aws_secret_access_key": "example",
}


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    # One more portal than the suite's limit of records would hide a stream that stops.
    with Emulator(asset_models=40, portals=25, projects_per_portal=7) as emulator:
        _SETTINGS.update(static(emulator, page_size=10))
        yield


TestTapIoTSiteWise = get_tap_test_class(TapIoTSiteWise, config=_SETTINGS)
