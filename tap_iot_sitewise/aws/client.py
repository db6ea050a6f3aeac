"""Calls SiteWise through boto3, and checks and decodes its answers."""

from __future__ import annotations

import typing as t
from importlib.metadata import version

from botocore import xform_name
from botocore.config import Config as BotoConfig

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws.errors import ASSUMED, explain
from tap_iot_sitewise.aws.paging import Page, Seen
from tap_iot_sitewise.aws.rate_limit import limit_rate
from tap_iot_sitewise.aws.responses import (
    BROKEN_PAGE,
    FIRST_ERROR_STATUS,
    error_in,
)
from tap_iot_sitewise.aws.retries import retry_without_quota
from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from tap_iot_sitewise.aws.paging import Calls, Request
    from tap_iot_sitewise.settings import Config

SERVICE = "iotsitewise"
"""Name of the service in botocore."""

_PAGE = "page"
"""Member of an answer, as changed by this module, with the items of the page."""


class Client:
    """Sends requests page by page. Threads can share it."""

    def __init__(self, session: boto3.Session, config: Config) -> None:
        """Create a client. It sends no request yet.

        Args:
            session: Session with credentials, from ``session.open_session``.
            config: Settings.
        """
        endpoint_url = config.get("aws_endpoint_url")
        timeout = float(config["request_timeout"])
        self._page_size: int = config["page_size"]
        self._max_attempts: int = config["max_attempts"]
        self._auth_method: str = config["auth_method"]
        if config.get("assume_role_arn"):
            self._auth_method = ASSUMED
        self._readers: dict[str, tuple[str, Callable[[bytes], t.Any]]] = {}
        self._client = session.client(
            SERVICE,
            region_name=config["aws_region"],
            endpoint_url=endpoint_url,
            config=BotoConfig(
                connect_timeout=timeout,
                read_timeout=timeout,
                # An endpoint in the settings is the host itself, without a prefix.
                inject_host_prefix=not endpoint_url,
                max_pool_connections=config["max_concurrency"],
                retries={"mode": "standard", "total_max_attempts": self._max_attempts},
                tcp_keepalive=True,
                user_agent_extra=f"tap-iot-sitewise/{version('tap-iot-sitewise')}",
            ),
        )
        events = self._client.meta.events
        events.register(f"before-parse.{SERVICE}", self._read_answer)
        events.register(f"before-send.{SERVICE}", mask_credentials)
        credentials = session.get_credentials()
        # A Decimal, if it comes from a file.
        most = config.get("max_requests_per_second")
        limit_rate(
            self._client, SERVICE, credentials, None if most is None else float(most)
        )
        retry_without_quota(
            self._client,
            SERVICE,
            self._max_attempts,
            renewable=hasattr(credentials, "refresh_needed"),
        )

    def pages(self, request: Request, calls: Calls) -> Iterator[Page]:
        """Send a request and follow its tokens to the last page.

        botocore has paginators for only some operations. All operations use the same
        token, in the query or in the body.

        Args:
            request: The request.
            calls: Counts the calls, page by page.

        Yields:
            The items of each page as decoded from JSON. Every page is complete, and no
            item comes twice (see :class:`~tap_iot_sitewise.aws.paging.Seen`).

        Raises:
            NotFoundError: A resource in the parameters does not exist.
            TapError: The call failed after all attempts, or the pages do not end.
        """
        operation = request.operation
        self._readers[operation] = request.result, request.read
        call = getattr(self._client, xform_name(operation))
        parameters = {**self._paging(operation), **request.parameters}
        seen = Seen(request)
        while True:
            answer = self._explained(operation, call, parameters)
            retries = answer["ResponseMetadata"]["RetryAttempts"]
            calls.add(retries=retries)
            if "Error" in answer:
                msg = (
                    f"{operation}: {answer['Error']['Message']}, even after "
                    f"{retries + 1} attempts; check the proxy or gateway between this "
                    "machine and AWS"
                )
                raise TapError(msg)
            token = answer.get("nextToken")
            yield seen.new(answer[_PAGE], token)
            if token is None:
                return
            parameters["nextToken"] = token

    def _paging(self, operation: str) -> dict[str, t.Any]:
        """Return the page size as a parameter, if the operation accepts one."""
        model = self._client.meta.service_model.operation_model(operation)
        size = model.input_shape.members.get("maxResults")
        if size is None:
            return {}
        return {
            "maxResults": min(
                self._page_size, size.metadata.get("max", self._page_size)
            )
        }

    def _explained(
        self,
        operation: str,
        call: Callable[..., dict[str, t.Any]],
        parameters: dict[str, t.Any],
    ) -> dict[str, t.Any]:
        """Call an operation, and raise botocore's errors as :class:`TapError`."""
        try:
            return call(**parameters)
        except TapError:
            # From CreateSession or AssumeRole, with its explanation.
            raise
        except Exception as error:
            # The call can also renew credentials, which raises errors of any type.
            raise explain(
                operation,
                error,
                attempts=self._max_attempts,
                auth_method=self._auth_method,
            ) from error

    def _read_answer(
        self,
        operation_model: t.Any,  # noqa: ANN401
        response_dict: dict[str, t.Any],
        customized_response_dict: dict[str, t.Any],
        **_: object,
    ) -> None:
        """Decode an answer instead of botocore (event ``before-parse``).

        botocore 1.44 parses a body that is not valid JSON as an answer without members,
        so a listing would end there as if it were complete. Here, a page without its
        member is an error, which is retried like a 503. A valid page skips botocore's
        shapes, which take half of the time of a run. For errors, see
        :func:`tap_iot_sitewise.aws.responses.error_in`. Status 300 is an error here,
        but not in botocore's parser.
        """
        status, body = response_dict["status_code"], response_dict["body"]
        # This method parses the body. It leaves nothing for botocore.
        response_dict["body"] = b"{}"
        if status >= FIRST_ERROR_STATUS:
            error = error_in(status, response_dict["headers"], body)
            customized_response_dict["Error"] = error
            return
        result, read = self._readers[operation_model.name]
        try:
            page, token = read(body)
        except ValueError:
            customized_response_dict["Error"] = {
                "Code": BROKEN_PAGE,
                "Message": f"the answer was cut short or is not a page of {result}",
            }
        else:
            customized_response_dict.update({_PAGE: page, "nextToken": token})


def mask_credentials(request: t.Any, **_: object) -> None:  # noqa: ANN401
    """Mask the credentials of a request in the log (event ``before-send``).

    Until this event, the tap does not know the credentials of boto3's own chain. If a
    signature is wrong, the answer of AWS quotes the request, including the token.

    Args:
        request: The signed request.
    """
    token, authorization = (
        value.decode("latin-1") if isinstance(value, bytes) else value or ""
        for value in map(request.headers.get, ("X-Amz-Security-Token", "Authorization"))
    )
    key = authorization.partition("Credential=")[2].partition("/")[0]
    redaction.register([token, key])
