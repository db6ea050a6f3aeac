"""AWS IoT SiteWise over a plant: which operation, whether it is allowed, its answer."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from emulator import errors
from emulator.operations import SERVICE, ApiRequest
from emulator.tokens import TokenMint

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from emulator.account import Account
    from emulator.faults import Fault
    from emulator.keys import AccessKey
    from emulator.operations import Operation
    from emulator.plant import Plant
    from emulator.sigv4 import SignedRequest


class SiteWise:
    """The operations over a plant.

    Args:
        plant: What there is to list.
        account: The account that it belongs to.
        operations: The operations that are served.
    """

    def __init__(
        self, plant: Plant, account: Account, operations: Iterable[Operation]
    ) -> None:
        """Serve a plant."""
        self._plant = plant
        self._account = account
        self._operations = tuple(operations)
        self._tokens = TokenMint()

    def request(self, signed: SignedRequest) -> ApiRequest | None:
        """Return what a request asks for, None where there is no such operation."""
        for operation in self._operations:
            in_path = operation.match(signed.method, signed.path)
            if in_path is not None:
                parameters = in_path + signed.parameters
                return ApiRequest(
                    operation, parameters, signed.body, self._plant, self._tokens
                )
        return None

    def answer(
        self,
        request: ApiRequest,
        key: AccessKey,
        denied_actions: Collection[str],
        twist: Fault | None,
    ) -> bytes:
        """Answer a request.

        Args:
            request: The request.
            key: Who asks.
            denied_actions: IAM actions that nobody may do.
            twist: What is to be wrong with the page.

        Returns:
            The JSON of a 200.

        Raises:
            ApiError: What AWS answers.
        """
        action = request.operation.action
        allowed = key.actions is None or action in key.actions
        if not allowed or action in denied_actions:
            resource = request.resource
            if resource != "*":
                resource = self._account.arn(SERVICE, resource)
            raise errors.not_authorized(key.principal_arn, action, resource)
        request.check()
        if twist is not None:
            request = replace(request, twist=twist)
        return request.operation.answer(request)
