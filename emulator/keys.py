"""The access keys of the emulated account, permanent and temporary."""

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
    """An access key.

    Args:
        access_key_id: ID, which begins with AKIA for a user, with ASIA for a session.
        secret_access_key: The secret that signs requests.
        session_token: Session token; None for a user.
        expires_at: Time of expiry in epoch seconds (UTC); None for never.
        principal_arn: ARN of the user or session. Error messages contain it.
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
        """Return whether it is expired at a time, in epoch seconds (UTC)."""
        return self.expires_at is not None and now >= self.expires_at


class Keyring:
    """All access keys of the emulated account."""

    def __init__(self) -> None:
        """Create an empty keyring."""
        self._keys: dict[str, AccessKey] = {}

    def add(self, key: AccessKey) -> AccessKey:
        """Add a key, and return it."""
        self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key with an ID; None if there is none."""
        return self._keys.get(access_key_id)

    @property
    def sessions(self) -> list[AccessKey]:
        """All temporary credentials, the oldest first."""
        return [key for key in tuple(self._keys.values()) if key.session_token]

    def expire_sessions(self) -> None:
        """Let all temporary credentials expire now."""
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
        """Issue temporary credentials.

        Args:
            principal_arn: ARN of the session.
            seconds: The time until they expire; negative if they are expired already.
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
