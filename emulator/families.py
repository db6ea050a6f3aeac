"""The kinds of records and the operations of all families."""

from __future__ import annotations

from emulator import (
    asset_models,
    assets,
    bulk_import_jobs,
    computation_models,
    gateways,
    monitor,
    telemetry,
    time_series,
)

_FAMILIES = (
    asset_models,
    assets,
    time_series,
    telemetry,
    monitor,
    gateways,
    bulk_import_jobs,
    computation_models,
)

# Parents come before their children.
KINDS = tuple(kind for family in _FAMILIES for kind in family.KINDS)
OPERATIONS = tuple(each for family in _FAMILIES for each in family.OPERATIONS)

KINDS_BY_NAME = {kind.name: kind for kind in KINDS}

CHILDREN = {
    kind.name: [child for child in KINDS if kind.name in child.parents]
    for kind in KINDS
}
"""The kinds whose records belong to a record of each kind."""

REFERRING = {
    kind.name: [
        (other, member)
        for other in KINDS
        for member, name in other.refers.items()
        if name == kind.name
    ]
    for kind in KINDS
}
"""The kinds that refer to a record of each kind, with the member for its ID."""
