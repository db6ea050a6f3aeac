"""A plant with values that are difficult to process, for tests.

Names and descriptions have many scripts, quotes and line breaks. Optional members are
missing, and some dates are in the future. The first entities of each kind have each
state and error code in turn, so that a small plant has all of them. Most of the others
are ``ACTIVE``.
"""

from __future__ import annotations

import typing as t

from emulator.hostile.asset_models import asset_models
from emulator.hostile.monitor import portals, projects

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.maker import Make

RECORDS: Mapping[str, Make] = {
    "asset_models": asset_models,
    "portals": portals,
    "projects": projects,
}
"""The function that generates records, for each kind."""
