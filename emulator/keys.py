"""The access keys of the emulated account, permanent and temporary."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
import time
import typing as t
from dataclasses import dataclass, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.policies import Policy

_KEY_ID_CHARACTERS = string.ascii_uppercase + "234567"


def unique_id(entity_arn: str) -> str:
    """Return the ID that IAM gives a user (AIDA...) or a role (AROA...).

    Args:
        entity_arn: The ARN of the user or role. The same ARN has always the same ID.
    """
    prefix = "AROA" if ":role/" in entity_arn else "AIDA"
    digest = base64.b32encode(hashlib.sha256(entity_arn.encode()).digest())
    return prefix + digest[:17].decode()


@dataclass(frozen=True)
class AccessKey:
    """An access key.

    Args:
        access_key_id: ID, which begins with AKIA for a user, with ASIA for a session.
        secret_access_key: The secret that signs requests.
        session_token: Session token; None for a user.
        expires_at: Time of expiry in epoch seconds (UTC); None for never.
        principal_arn: ARN of the user or session. Error messages contain it.
        policies: The identity-based policies; None if it allows all actions.
        role_arn: ARN of the session's role if the role has a path, which
            ``principal_arn`` does not contain; None otherwise.
        source_identity: Source identity of the session, which stays when it assumes
            another role; None if it has none.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expires_at: float | None
    principal_arn: str
    policies: tuple[Policy, ...] | None = None
    role_arn: str | None = None
    source_identity: str | None = None

    @property
    def account_id(self) -> str:
        """The account of the user or session."""
        return self.principal_arn.split(":")[4]

    @property
    def is_session(self) -> bool:
        """Whether it belongs to a session of a role."""
        return ":assumed-role/" in self.principal_arn

    @property
    def entity_arn(self) -> str:
        """The ARN of the user, or of the role of the session."""
        if not self.is_session:
            return self.principal_arn
        name = self.principal_arn.split("/")[1]
        partition = self.principal_arn.split(":")[1]
        role_arn = f"arn:{partition}:iam::{self.account_id}:role/{name}"
        return self.role_arn or role_arn

    @property
    def user_id(self) -> str:
        """The ID that GetCallerIdentity returns."""
        entity_id = unique_id(self.entity_arn)
        if not self.is_session:
            return entity_id
        return f"{entity_id}:{self.principal_arn.rpartition('/')[2]}"

    def context(
        self, region: str, *, secure: bool, **others: str | None
    ) -> dict[str, str]:
        """Return the values of a request by condition key in lower case.

        Args:
            region: The Region of the account.
            secure: Whether the request uses TLS.
            others: Values of keys of STS, such as ``ExternalId``; None if missing.
        """
        found = {
            "aws:principalaccount": self.account_id,
            "aws:principalarn": self.entity_arn,
            "aws:requestedregion": region,
            "aws:securetransport": str(secure).lower(),
        }
        if self.is_session:
            # Requests with permanent keys do not have this key.
            found["aws:multifactorauthpresent"] = "false"
        found.update(
            (f"sts:{name.lower()}", value)
            for name, value in others.items()
            if value is not None
        )
        return found

    def expired(self, now: float) -> bool:
        """Return whether it is expired at a time, in epoch seconds (UTC)."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass
class Lifetime:
    """The lifetime of issued credentials. It may be changed at any time.

    Args:
        session_seconds: The lifetime of credentials; None for the duration in the
            request.
        reported_seconds: The lifetime according to the answer; None for the real one.
    """

    session_seconds: float | None = None
    reported_seconds: float | None = None

    def seconds(self, duration: float) -> tuple[float, float]:
        """Return the real and the reported lifetime for a duration in a request."""
        real = duration if self.session_seconds is None else self.session_seconds
        return real, real if self.reported_seconds is None else self.reported_seconds


class Keyring:
    """All access keys that the emulator knows.

    Args:
        keys: The first keys.
    """

    def __init__(self, keys: Iterable[AccessKey] = ()) -> None:
        """Keep the keys."""
        self._keys = {key.access_key_id: key for key in keys}

    def add(self, key: AccessKey) -> AccessKey:
        """Add a key, and return it."""
        self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key with an ID; None if there is none."""
        return self._keys.get(access_key_id)

    @property
    def sessions(self) -> list[AccessKey]:
        """All temporary credentials that the emulator issued, the oldest first."""
        keys = tuple(self._keys.values())
        return [key for key in keys if key.expires_at is not None]

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
        policies: Iterable[Policy] | None = None,
        *,
        role_arn: str | None = None,
        source_identity: str | None = None,
    ) -> AccessKey:
        """Issue temporary credentials.

        Args:
            principal_arn: ARN of the session.
            seconds: The time until they expire; negative if they are expired already.
            policies: The policies of the role; None if they allow all actions.
            role_arn: ARN of the role if the role has a path.
            source_identity: Source identity of the session.
        """
        letters = "".join(secrets.choice(_KEY_ID_CHARACTERS) for _ in range(16))
        return self.add(
            AccessKey(
                access_key_id=f"ASIA{letters}",
                secret_access_key=secrets.token_urlsafe(30),
                session_token=secrets.token_urlsafe(200),
                expires_at=time.time() + seconds,
                principal_arn=principal_arn,
                policies=None if policies is None else tuple(policies),
                role_arn=role_arn,
                source_identity=source_identity,
            ),
        )
