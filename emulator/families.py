"""The kinds of records and the operations of all families."""

from __future__ import annotations

from emulator import asset_models, monitor

_FAMILIES = (asset_models, monitor)

# Parents come before their children.
KINDS = tuple(kind for family in _FAMILIES for kind in family.KINDS)
OPERATIONS = tuple(each for family in _FAMILIES for each in family.OPERATIONS)
