"""Bulk import jobs: the kind of record and its operation."""

from __future__ import annotations

import typing as t

from emulator.kinds import Kind
from emulator.operations import Operation, Parameter
from emulator.paging import Page

if t.TYPE_CHECKING:
    from emulator.operations import ApiRequest
    from emulator.paging import Wanted

KINDS = (Kind("bulk_import_jobs", dates=()),)

_ALL = "ALL"
_STATUSES = (
    "PENDING",
    "RUNNING",
    "CANCELLED",
    "FAILED",
    "COMPLETED_WITH_FAILURES",
    "COMPLETED",
)


def _of_the_status(request: ApiRequest) -> Wanted | None:
    status = request.one("filter") or _ALL
    return None if status == _ALL else lambda job: job.get("status") == status


OPERATIONS = (
    Operation(
        "ListBulkImportJobs",
        "/jobs",
        Page("jobSummaries", "bulk_import_jobs", wanted=_of_the_status),
        parameters=(
            Parameter("filter", values=(_ALL, *_STATUSES), default=_ALL),
            Parameter("workspaceName", pattern="[a-zA-Z0-9_-]{1,64}"),
        ),
    ),
)
