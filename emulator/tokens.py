"""Page tokens, which mean something only to the emulator."""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
import json
import secrets
from dataclasses import dataclass

_TAG_BYTES = 16


@dataclass(frozen=True)
class Position:
    """Where a listing goes on, and which listing it is."""

    operation: str
    parameters: str
    after: int


class TokenMint:
    """Issues page tokens and takes back those that it issued itself.

    A token is signed with a key made at start. One of another run or another listing,
    or a made-up one, is refused, as AWS refuses it. Its characters are those that
    SiteWise's service model allows.
    """

    def __init__(self) -> None:
        """Make the key."""
        self._key = secrets.token_bytes(32)
        self._serial = itertools.count()

    def _tag(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_TAG_BYTES]

    def issue(self, position: Position, *, fresh: bool = False) -> str:
        """A token for a position.

        Args:
            position: Where the listing goes on.
            fresh: Make it differ from every other token for the same position.
        """
        nonce = next(self._serial) if fresh else None
        parts = [position.operation, position.parameters, position.after, nonce]
        payload = json.dumps(parts).encode()
        return base64.b64encode(self._tag(payload) + payload).decode()

    def redeem(self, token: str, operation: str, parameters: str) -> int | None:
        """Read a token.

        Returns:
            The sequence number to go on after; None for a token of another listing.
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
        return int(after)
