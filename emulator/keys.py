"""The access keys that the emulator accepts: permanent and temporary ones."""

from __future__ import annotations

import secrets
import string
import time
import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_KEY_ID_CHARACTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class AccessKey:
    """An access key and whom it belongs to.

    Attributes:
        access_key_id: ``AKIA...`` of a user, ``ASIA...`` of a session.
        secret_access_key: What requests are signed with.
        session_token: Token of a session; None for a user's key.
        expires_at: Epoch seconds after which it is refused; None for never.
        principal_arn: Who AWS says is calling.
        actions: Actions that it allows, such as ``iotsitewise:ListPortals``; None for
            all.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expires_at: float | None
    principal_arn: str
    actions: frozenset[str] | None = None

    def expired(self, now: float) -> bool:
        """Return whether it has expired at ``now`` (epoch seconds)."""
        return self.expires_at is not None and now >= self.expires_at


class Keyring:
    """All access keys of the emulated account, by their IDs."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys: dict[str, AccessKey] = {}

    def add(self, key: AccessKey) -> AccessKey:
        """Add a key; returns it."""
        self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key of that ID, None when there is none."""
        return self._keys.get(access_key_id)

    @property
    def sessions(self) -> list[AccessKey]:
        """The temporary credentials that were made, in their order."""
        return [key for key in tuple(self._keys.values()) if key.session_token]

    def expire_sessions(self) -> None:
        """End all temporary credentials that were made so far."""
        now = time.time()
        for key in self.sessions:
            if not key.expired(now):
                self.add(replace(key, expires_at=now))

    def issue_session(
        self,
        principal_arn: str,
        seconds: float,
        actions: Iterable[str] | None = None,
    ) -> AccessKey:
        """Make temporary credentials.

        Args:
            principal_arn: Who they are for.
            seconds: How long they are valid; negative for ones that have expired.
            actions: Actions that they allow; None for all.
        """
        letters = "".join(secrets.choice(_KEY_ID_CHARACTERS) for _ in range(16))
        return self.add(
            AccessKey(
                access_key_id=f"ASIA{letters}",
                secret_access_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(200),
                expires_at=time.time() + seconds,
                principal_arn=principal_arn,
                actions=None if actions is None else frozenset(actions),
            ),
        )
