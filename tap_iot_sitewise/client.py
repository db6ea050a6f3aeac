"""From a boto3 session to pages: paging, retries, and answers that can be trusted."""

from __future__ import annotations

import sys
import threading
import typing as t
from dataclasses import dataclass, field
from importlib.metadata import version

from botocore import xform_name
from botocore.config import Config as BotoConfig
from botocore.exceptions import SSLError
from botocore.retries import quota, standard
from botocore.retries.base import BaseRetryableChecker

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws_errors import explain
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.listing import Listing, Page
from tap_iot_sitewise.responses import (
    PERMANENT_SERVER_ERRORS,
    TRANSIENT_CODES,
    TRANSIENT_STATUSES,
    decode,
    error_in,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import boto3

    from tap_iot_sitewise.settings import Config

_FIRST_ERROR_STATUS = 300
_BROKEN_PAGE = ":broken page"
"""Code of a page that is not whole; no answer's, as what follows a colon is cut off."""


@dataclass
class Calls:
    """What a listing, or several together, cost.

    Args:
        requests: Requests sent, retries included.
        retries: Requests that were sent again.
    """

    requests: int = 0
    retries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, retries: int) -> None:
        """Add a request that was answered after so many retries, from any thread."""
        with self._lock:
            self.requests += 1 + retries
            self.retries += retries


class Client:
    """Lists what SiteWise holds, page by page. Safe for use from several threads."""

    def __init__(self, session: boto3.Session, config: Config) -> None:
        """Make a client; nothing is called yet.

        Args:
            session: Session with credentials, as ``auth.open_session`` gives it.
            config: Settings.
        """
        endpoint_url = config.get("aws_endpoint_url")
        timeout = float(config["request_timeout"])
        self._page_size: int = config["page_size"]
        self._max_attempts: int = config["max_attempts"]
        self._members: dict[str, str] = {}
        self._paginators: dict[str, t.Any] = {}
        self._client = session.client(
            "iotsitewise",
            region_name=config["aws_region"],
            endpoint_url=endpoint_url,
            config=BotoConfig(
                connect_timeout=timeout,
                read_timeout=timeout,
                # Whoever names an endpoint means that host, not one below it.
                inject_host_prefix=not endpoint_url,
                max_pool_connections=config["max_concurrency"],
                # Adaptive: once throttled, botocore keeps to the rate that the
                # account's quota lets through instead of running into it again.
                retries={"mode": "adaptive", "total_max_attempts": self._max_attempts},
                tcp_keepalive=True,
                user_agent_extra=f"tap-iot-sitewise/{version('tap-iot-sitewise')}",
            ),
        )
        events = self._client.meta.events
        events.register("before-parse.iotsitewise", self._read_answer)
        events.register("before-send.iotsitewise", _mask_credentials)
        _retry_without_quota(
            self._client,
            self._max_attempts,
            renewable=hasattr(session.get_credentials(), "refresh_needed"),
        )

    def pages(
        self,
        operation: str,
        calls: Calls,
        **parameters: t.Any,  # noqa: ANN401
    ) -> Iterator[Page]:
        """List, following the tokens to the end.

        Args:
            operation: List operation of SiteWise, for example ``ListPortals``.
            calls: Tally that is added to, page by page.
            parameters: Parameters of the operation but for its paging.

        Yields:
            The members of each page as decoded from JSON, never an incomplete page, and
            no entity twice (see :class:`Listing`).

        Raises:
            NotFoundError: What the parameters name does not exist.
            TapError: The call failed for good, or the listing never ends.
        """
        paginator = self._paginators.get(operation)
        if paginator is None:
            # botocore makes a class, docstring and all, each time it is asked.
            paginator = self._client.get_paginator(xform_name(operation))
            self._paginators[operation] = paginator
        answers = paginator.paginate(
            PaginationConfig={"PageSize": self._page_size}, **parameters
        )
        member = answers.result_keys[0].expression
        self._members[operation] = member
        given = Listing(operation)
        for answer in self._explained(operation, answers):
            retries = answer["ResponseMetadata"]["RetryAttempts"]
            calls.add(retries=retries)
            if "Error" in answer:
                msg = (
                    f"{operation}: {answer['Error']['Message']}; still so after "
                    f"{retries + 1} attempts: check what is between this machine and "
                    "AWS (a proxy, a gateway)"
                )
                raise TapError(msg)
            yield given.new(answer[member], answer.get("nextToken"))

    def _explained(
        self, operation: str, answers: Iterable[dict[str, t.Any]]
    ) -> Iterator[dict[str, t.Any]]:
        """Yield what botocore's paginator does, its errors as the tap's."""
        try:
            yield from answers
        except TapError:
            # Of CreateSession, told already.
            raise
        except Exception as error:
            # Of any kind: credentials are renewed on the way.
            raise explain(operation, error, attempts=self._max_attempts) from error

    def _read_answer(
        self,
        operation_model: t.Any,  # noqa: ANN401
        response_dict: dict[str, t.Any],
        customized_response_dict: dict[str, t.Any],
        **_: object,
    ) -> None:
        """Decode an answer in botocore's place (event ``before-parse``).

        botocore 1.44 takes a body that is no JSON for an answer without members, and
        a listing would end there as if it were whole. Here a page without its own
        members becomes an error, which is tried again like a 503. What is sound goes
        on as it came, not by way of botocore's shapes: these cost half of the run. For
        errors see :func:`tap_iot_sitewise.responses.error_in`; status 300 is one here,
        and no error to botocore's parser.
        """
        status, body = response_dict["status_code"], response_dict["body"]
        # What there is to parse is parsed here.
        response_dict["body"] = b"{}"
        if status >= _FIRST_ERROR_STATUS:
            error = error_in(status, response_dict["headers"], body)
            customized_response_dict["Error"] = error
            return
        member = self._members[operation_model.name]
        try:
            answer = decode(body)
            page, token = answer[member], answer.get("nextToken")
        except (ValueError, TypeError, KeyError, AttributeError):
            page, token = None, None
        sound = isinstance(page, list) and (
            token is None or (isinstance(token, str) and token != "")
        )
        if sound:
            customized_response_dict.update({member: page, "nextToken": token})
        else:
            customized_response_dict["Error"] = {
                "Code": _BROKEN_PAGE,
                "Message": f"the answer was cut short or is not a page of {member}",
            }


def _mask_credentials(request: t.Any, **_: object) -> None:  # noqa: ANN401
    """Keep the credentials of a request out of the log (event ``before-send``).

    Those of boto3's own chain are known here first. AWS quotes the request, token
    included, where it finds the signature wrong.
    """
    token, authorization = (
        value.decode("latin-1") if isinstance(value, bytes) else value or ""
        for value in map(request.headers.get, ("X-Amz-Security-Token", "Authorization"))
    )
    key = authorization.partition("Credential=")[2].partition("/")[0]
    redaction.register([token, key])


def _retry_without_quota(
    client: t.Any,  # noqa: ANN401
    max_attempts: int,
    *,
    renewable: bool,
) -> None:
    """Have botocore try each request ``max_attempts`` times, whatever befell others.

    botocore 1.44 shares a budget for retries among all requests of a client (500
    points, 14 for a retry); eight listings that meet one outage use it up after a few
    tries each, and the run dies though every request had attempts left. The handler
    is made of botocore's own parts, as ``standard.register_retry_handler`` does it,
    with a budget that does not run out and a few more faults to try again.
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
    event, name = "needs-retry.iotsitewise", "retry-config-iotsitewise"
    client.meta.events.unregister(event, unique_id=name)
    client.meta.events.register(event, handler.needs_retry, unique_id=name)


class _Retryable(BaseRetryableChecker):  # type: ignore[misc]  # botocore is untyped
    """Tells whether a failed request is worth another try."""

    def __init__(self, max_attempts: int, *, renewable: bool) -> None:
        transient = [*TRANSIENT_CODES, _BROKEN_PAGE]
        if renewable:
            # Keys that ran out on the way; the next try is signed with new ones.
            transient += ["ExpiredTokenException", "ExpiredToken"]
        self._attempts = standard.MaxAttemptsChecker(max_attempts)
        self._faults = standard.OrRetryChecker(
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
            self._attempts.is_retryable(context) and self._faults.is_retryable(context)
        )
