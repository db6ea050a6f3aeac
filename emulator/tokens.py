"""Page tokens that only the emulator can read."""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
import json
import secrets
import typing as t
from dataclasses import dataclass

_TAG_BYTES = 16


@dataclass(frozen=True)
class Position:
    """The place in a listing where the next page begins.

    Args:
        operation: Name of the operation.
        parameters: Parameters of the listing, as text.
        after: Where the last page ended, as a JSON value: a sequence number for a List
            operation.
    """

    operation: str
    parameters: str
    after: t.Any


class PageTokens:
    """Issues page tokens, and reads the tokens that it issued.

    A token is signed with a key that is generated at start. A token of another run or
    another listing is refused, as in AWS, and so is any other text. The tokens contain
    only characters that SiteWise's service model allows.
    """

    def __init__(self) -> None:
        """Generate the key."""
        self._key = secrets.token_bytes(32)
        self._serial = itertools.count()

    def _tag(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_TAG_BYTES]

    def issue(self, position: Position, *, unique: bool = False) -> str:
        """Return a token for a position.

        Args:
            position: Where the next page begins.
            unique: Whether the token differs from all other tokens for this position.
        """
        nonce = next(self._serial) if unique else None
        parts = [position.operation, position.parameters, position.after, nonce]
        payload = json.dumps(parts).encode()
        return base64.b64encode(self._tag(payload) + payload).decode()

    def read(self, token: str, operation: str, parameters: str) -> t.Any:  # noqa: ANN401 - any JSON value
        """Read a token.

        Args:
            token: The token.
            operation: Name of the operation in the request.
            parameters: Parameters of the listing in the request, as text.

        Returns:
            What was issued as ``Position.after``; None if the token is not valid for
            this listing.
        """
        try:
            raw = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(payload)):
            return None
        issued_for, with_parameters, after, _ = json.loads(payload)
        if (issued_for, with_parameters) != (operation, parameters):
            return None
        return after
