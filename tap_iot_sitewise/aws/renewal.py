"""Temporary credentials that renew themselves."""

from __future__ import annotations

import typing as t

from botocore.credentials import DeferredRefreshableCredentials

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_ADVISORY, _MANDATORY = 900, 600
"""Seconds before the end of credentials at which botocore renews them."""


class RenewedCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]  # botocore is untyped
    """Credentials that are renewed in time, but not with each request.

    botocore 1.44 renews credentials with each request as soon as they are valid for
    less than 15 minutes, which is the shortest lifetime of a session.
    """

    def __init__(
        self,
        refresh_using: Callable[[], Mapping[str, t.Any]],
        method: str,
        lifetime: int,
    ) -> None:
        """Create credentials that are fetched when a request needs them.

        Args:
            refresh_using: Returns new credentials, in the form that botocore expects.
            method: Name of the source.
            lifetime: Seconds for which new credentials are valid.
        """
        super().__init__(refresh_using, method)
        # Renewed before a request, by one thread. If that fails, the others continue.
        self._advisory_refresh_timeout = min(_ADVISORY, lifetime // 3)
        # From here on, a request waits for new credentials.
        self._mandatory_refresh_timeout = min(_MANDATORY, lifetime // 6)
