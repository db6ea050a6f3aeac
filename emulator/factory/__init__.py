"""A realistic plant: sites with lines, machines and their components.

All dates are from June 2019 to June 2025, so none is in the future. Most entities are
``ACTIVE``. A few failed, with errors as AWS reports them.
"""

from __future__ import annotations

import typing as t

from emulator.factory.asset_models import asset_models
from emulator.factory.monitor import portals, projects

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.maker import Make

RECORDS: Mapping[str, Make] = {
    "asset_models": asset_models,
    "portals": portals,
    "projects": projects,
}
"""The function that generates records, for each kind."""
