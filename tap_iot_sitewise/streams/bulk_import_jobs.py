"""Bulk import jobs, which load historical values from Amazon S3 into SiteWise."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import key, text
from tap_iot_sitewise.streams.entity import Entity
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream


class BulkImportJobs(SiteWiseStream):
    """Bulk import jobs of the Region."""

    name = "bulk_import_jobs"
    entity = Entity(
        "JobSummary",
        key("job_id", "ID of the job.", member="id"),
        text("name", "Name of the job."),
        text(
            "status",
            "Status of the job.",
            "PENDING",
            "CANCELLED",
            "RUNNING",
            "COMPLETED",
            "FAILED",
            "COMPLETED_WITH_FAILURES",
        ),
    )
    request = Listing("ListBulkImportJobs", "jobSummaries")
