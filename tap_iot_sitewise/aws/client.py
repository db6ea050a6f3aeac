"""From a boto3 session to pages: calls, and answers that can be trusted."""

from __future__ import annotations

import typing as t
from importlib.metadata import version

from botocore import xform_name
from botocore.config import Config as BotoConfig

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws.errors import explain
from tap_iot_sitewise.aws.paging import Page, Seen
from tap_iot_sitewise.aws.responses import (
    BROKEN_PAGE,
    FIRST_ERROR_STATUS,
    decode,
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
"""The service as botocore names it."""


class Client:
    """Sends requests, page by page. Safe for use from several threads."""

    def __init__(self, session: boto3.Session, config: Config) -> None:
        """Make a client; nothing is called yet.

        Args:
            session: Session with credentials, as ``session.open_session`` gives it.
            config: Settings.
        """
        endpoint_url = config.get("aws_endpoint_url")
        timeout = float(config["request_timeout"])
        self._page_size: int = config["page_size"]
        self._max_attempts: int = config["max_attempts"]
        self._results: dict[str, str] = {}
        self._client = session.client(
            SERVICE,
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
        events.register(f"before-parse.{SERVICE}", self._read_answer)
        events.register(f"before-send.{SERVICE}", _mask_credentials)
        retry_without_quota(
            self._client,
            SERVICE,
            self._max_attempts,
            renewable=hasattr(session.get_credentials(), "refresh_needed"),
        )

    def pages(self, request: Request, calls: Calls) -> Iterator[Page]:
        """Send a request, and follow its tokens to the end.

        botocore has paginators for some operations only; the tokens are the same
        everywhere, in the query or in the body.

        Args:
            request: What is asked.
            calls: Tally that is added to, page by page.

        Yields:
            The items of each page as decoded from JSON, never an incomplete page, and
            no item twice (see :class:`~tap_iot_sitewise.aws.paging.Seen`).

        Raises:
            NotFoundError: What the parameters name does not exist.
            TapError: The call failed for good, or the pages never end.
        """
        operation = request.operation
        self._results[operation] = request.result
        call = getattr(self._client, xform_name(operation))
        parameters = {**self._paging(operation), **request.parameters}
        seen = Seen(request)
        while True:
            answer = self._explained(operation, call, parameters)
            retries = answer["ResponseMetadata"]["RetryAttempts"]
            calls.add(retries=retries)
            if "Error" in answer:
                msg = (
                    f"{operation}: {answer['Error']['Message']}; still so after "
                    f"{retries + 1} attempts: check what is between this machine and "
                    "AWS (a proxy, a gateway)"
                )
                raise TapError(msg)
            token = answer.get("nextToken")
            yield seen.new(answer[request.result], token)
            if token is None:
                return
            parameters["nextToken"] = token

    def _paging(self, operation: str) -> dict[str, t.Any]:
        """Return the size of a page, as far as the operation takes one."""
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
        """Call, with botocore's errors as the tap's."""
        try:
            return call(**parameters)
        except TapError:
            # Of CreateSession, explained already.
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

        botocore 1.44 takes a body that is not JSON for an answer without members, and
        a listing would end there as if it were complete. Here a page without its own
        member becomes an error, which is tried again like a 503. What is sound goes
        on as it came, not by way of botocore's shapes: these cost half of the run. For
        errors see :func:`tap_iot_sitewise.aws.responses.error_in`; status 300 is one
        here, and no error to botocore's parser.
        """
        status, body = response_dict["status_code"], response_dict["body"]
        # What there is to parse is parsed here.
        response_dict["body"] = b"{}"
        if status >= FIRST_ERROR_STATUS:
            error = error_in(status, response_dict["headers"], body)
            customized_response_dict["Error"] = error
            return
        result = self._results[operation_model.name]
        try:
            answer = decode(body)
            page, token = answer[result], answer.get("nextToken")
        except (ValueError, TypeError, KeyError, AttributeError):
            page, token = None, None
        sound = isinstance(page, list) and (
            token is None or (isinstance(token, str) and token != "")
        )
        if sound:
            customized_response_dict.update({result: page, "nextToken": token})
        else:
            customized_response_dict["Error"] = {
                "Code": BROKEN_PAGE,
                "Message": f"the answer was cut short or is not a page of {result}",
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
