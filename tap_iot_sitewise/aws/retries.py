"""Decides which failed calls are retried, and how often."""

from __future__ import annotations

import sys
import typing as t

from botocore.exceptions import SSLError
from botocore.retries import quota, standard
from botocore.retries.base import BaseRetryableChecker

from tap_iot_sitewise.aws.responses import (
    BROKEN_PAGE,
    PERMANENT_SERVER_ERRORS,
    TRANSIENT_CODES,
    TRANSIENT_STATUSES,
)


def retry_without_quota(
    client: t.Any,  # noqa: ANN401
    service: str,
    max_attempts: int,
    *,
    renewable: bool,
) -> None:
    """Give each request ``max_attempts`` attempts, independently of other requests.

    In botocore 1.44, all requests of a client share a budget for retries (500 points,
    14 for each retry). During an outage, eight listings use it up after a few attempts
    each, and the run fails although every request has attempts left. This handler
    consists of botocore's own parts, like that of ``standard.register_retry_handler``,
    with an unlimited budget and a few more failures to retry.

    Args:
        client: boto3 client.
        service: Service of the client, as in the names of its events.
        max_attempts: Maximum attempts of one request, including the first.
        renewable: Whether expired credentials are renewed before the next attempt.
    """
    adapter = standard.RetryEventAdapter()
    throttling = standard.ThrottlingErrorDetector(adapter)
    handler = standard.RetryHandler(
        retry_policy=standard.RetryPolicy(
            _Retryable(max_attempts, renewable=renewable),
            standard.ExponentialBackoff(throttling_detector=throttling),
        ),
        retry_event_adapter=adapter,
        retry_quota=standard.RetryQuotaChecker(quota.RetryQuota(sys.maxsize)),
    )
    event, name = f"needs-retry.{service}", f"retry-config-{service}"
    client.meta.events.unregister(event, unique_id=name)
    client.meta.events.register(event, handler.needs_retry, unique_id=name)


_EXPIRED_CODES = ("ExpiredTokenException", "ExpiredToken")
_MAX_EXPIRED = 4
"""Attempts after which expired credentials are an error. More attempts do not help if
AWS refuses new credentials, or credentials that are valid by this machine's clock."""


class _Retryable(BaseRetryableChecker):  # type: ignore[misc]  # botocore is untyped
    """Decides whether a failed request is retried."""

    def __init__(self, max_attempts: int, *, renewable: bool) -> None:
        transient = [*TRANSIENT_CODES, BROKEN_PAGE]
        # If the credentials expired on the way, the next attempt signs with new ones.
        self._expired = _EXPIRED_CODES if renewable else ()
        self._attempts = standard.MaxAttemptsChecker(max_attempts)
        self._failures = standard.OrRetryChecker(
            [
                standard.TransientRetryableChecker(transient, TRANSIENT_STATUSES),
                standard.ThrottledRetryableChecker(),
                standard.ModeledRetryableChecker(),
            ]
        )

    def is_retryable(self, context: t.Any) -> bool:  # noqa: ANN401
        answer, failure = context.http_response, context.caught_exception
        if answer is not None and answer.status_code in PERMANENT_SERVER_ERRORS:
            return False
        if isinstance(failure, SSLError) and "CERTIFICATE_VERIFY" in str(failure):
            return False
        return bool(
            self._attempts.is_retryable(context)
            and (
                self._failures.is_retryable(context)
                or (
                    context.attempt_number < _MAX_EXPIRED
                    and context.get_error_code() in self._expired
                )
            )
        )
