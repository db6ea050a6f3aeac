"""Computation models: the kind of record and its operation."""

from __future__ import annotations

import typing as t

from emulator.kinds import Kind
from emulator.operations import Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted

KINDS = (Kind("computation_models"),)


def _of_the_type(request: ApiRequest) -> Wanted | None:
    wanted = request.one("computationModelType")
    return None if wanted is None else lambda model: model.get("type") == wanted


OPERATIONS = (
    Operation(
        "ListComputationModels",
        "/computation-models",
        Page("computationModelSummaries", "computation_models", wanted=_of_the_type),
        parameters=(Parameter("computationModelType", values=("ANOMALY_DETECTION",)),),
    ),
)
