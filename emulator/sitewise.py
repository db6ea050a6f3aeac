"""AWS IoT SiteWise: find the operation, check the permission, answer."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from emulator import errors
from emulator.operations import SERVICE, ApiRequest
from emulator.plant import Plant
from emulator.policies import Decision, decide
from emulator.tokens import PageTokens

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from emulator.account import Account
    from emulator.faults import Fault
    from emulator.keys import AccessKey
    from emulator.operations import Operation
    from emulator.sigv4 import SignedRequest


@dataclass
class Denials:
    """What is denied to everybody.

    Args:
        actions: IAM actions, such as ``iotsitewise:ListPortals``.
        series: IDs of time series.
    """

    actions: set[str] = field(default_factory=set)
    series: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Deny nothing."""
        self.actions.clear()
        self.series.clear()


class SiteWise:
    """Answers the operations of SiteWise.

    Args:
        plant: The data.
        account: The account that owns the data.
        operations: The operations.
    """

    def __init__(
        self, plant: Plant, account: Account, operations: Iterable[Operation]
    ) -> None:
        """Keep the arguments."""
        self._plant = plant
        self._account = account
        self._operations = tuple(operations)
        self._tokens = PageTokens()
        # AWS answers a request from the account of its key. In other accounts than the
        # emulated one, nothing exists.
        self._other = Plant()

    def request(self, signed: SignedRequest) -> ApiRequest | None:
        """Return a request with its operation; None if there is no such operation."""
        for operation in self._operations:
            in_path = operation.match(signed.method, signed.path)
            if in_path is not None:
                names = dict(in_path)
                in_query = [each for each in signed.parameters if each[0] not in names]
                parameters = in_query + in_path
                return ApiRequest(
                    operation,
                    parameters,
                    signed.body,
                    signed.secure,
                    self._plant,
                    self._plant.values,
                    self._tokens,
                )
        return None

    def answer(
        self,
        request: ApiRequest,
        key: AccessKey,
        denials: Denials,
        now: int,
        page_fault: Fault | None,
    ) -> bytes:
        """Answer a request.

        Args:
            request: The request.
            key: The access key that signed it.
            denials: What is denied to everybody.
            now: The time in nanoseconds since 1970-01-01 (UTC).
            page_fault: The fault of the page, one of ``faults.PAGE_FAULTS``.

        Returns:
            The body of an answer with status 200, as JSON.

        Raises:
            ApiError: AWS answers with this error.
        """
        account = replace(self._account, account_id=key.account_id)
        action = request.operation.action
        resource = request.resource
        if resource != "*":
            resource = account.arn(SERVICE, resource)
        decision = Decision.ALLOWED
        if key.policies is not None:
            values = key.context(account.region, secure=request.secure)
            decision = decide(key.policies, action, resource, values)
        if decision is not Decision.ALLOWED or action in denials.actions:
            denied = decision is Decision.DENIED
            raise errors.not_authorized(
                key.principal_arn, action, resource, denied=denied
            )
        request.check()
        if account != self._account:
            request = replace(request, plant=self._other, values=self._other.values)
        request = replace(
            request, now=now, denied_series=denials.series, page_fault=page_fault
        )
        return request.operation.answer(request)
