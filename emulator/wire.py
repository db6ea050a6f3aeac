"""The form of answers: JSON as SiteWise sends it, XML as STS sends it."""

from __future__ import annotations

import json
import re
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

from emulator.errors import ApiError

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# The page "Common Errors" of the STS API reference has these codes. Users of AWS report
# the statuses, such as 400 for throttling.
_QUERY_ERRORS = {
    "AccessDeniedException": ("AccessDenied", HTTPStatus.FORBIDDEN),
    "ExpiredTokenException": ("ExpiredToken", HTTPStatus.FORBIDDEN),
    "IncompleteSignatureException": ("IncompleteSignature", HTTPStatus.BAD_REQUEST),
    "InternalFailureException": ("InternalFailure", HTTPStatus.INTERNAL_SERVER_ERROR),
    "InvalidSignatureException": ("SignatureDoesNotMatch", HTTPStatus.FORBIDDEN),
    "MissingAuthenticationTokenException": (
        "MissingAuthenticationToken",
        HTTPStatus.FORBIDDEN,
    ),
    "ServiceUnavailableException": (
        "ServiceUnavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    "ThrottlingException": ("Throttling", HTTPStatus.BAD_REQUEST),
    "UnrecognizedClientException": ("InvalidClientTokenId", HTTPStatus.FORBIDDEN),
}


class JsonWire:
    """The answer to one request, in the JSON protocol."""

    content_type = "application/json"

    def __init__(self) -> None:
        """Make up the ID of the request."""
        self.request_id = str(uuid.uuid4())

    def translate(self, error: ApiError) -> ApiError:
        """Return a common error of AWS with the code and status of this protocol."""
        return error

    def error(self, error: ApiError) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers for an error."""
        body = json.dumps({"message": error.message}).encode()
        return body, {"x-amzn-ErrorType": error.code}


class QueryWire(JsonWire):
    """The answer to one request, in the Query protocol."""

    content_type = "text/xml"

    def translate(self, error: ApiError) -> ApiError:
        """Return a common error of AWS with the code and status of this protocol."""
        code, status = _QUERY_ERRORS.get(error.code, (error.code, error.status))
        return ApiError(code, error.message, status)

    def error(self, error: ApiError) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers for an error."""
        server = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        fault: dict[str, object] = {
            "Type": "Receiver" if server else "Sender",
            "Code": error.code,
            "Message": error.message,
        }
        document: dict[str, object] = {"Error": fault, "RequestId": self.request_id}
        return _document("ErrorResponse", document), {}

    def success(self, operation: str, result: dict[str, object]) -> bytes:
        """Return the body for a result.

        Args:
            operation: Name of the operation.
            result: Its members by name: strings, or objects of strings.
        """
        document: dict[str, object] = {
            f"{operation}Result": result,
            "ResponseMetadata": {"RequestId": self.request_id},
        }
        return _document(f"{operation}Response", document)


def _document(name: str, content: dict[str, object]) -> bytes:
    body = f'<{name} xmlns="{NAMESPACE}">\n{_xml(content, "  ")}</{name}>\n'
    return body.encode()


def _xml(content: object, indent: str) -> str:
    if not isinstance(content, dict):
        return escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(content)))
    lines = []
    for name, value in content.items():
        inner = _xml(value, indent + "  ")
        if isinstance(value, dict):
            inner = f"\n{inner}{indent}"
        lines.append(f"{indent}<{name}>{inner}</{name}>\n")
    return "".join(lines)
