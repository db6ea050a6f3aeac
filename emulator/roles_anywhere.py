"""CreateSession of IAM Roles Anywhere.

The signature is described in "Signing with X.509 certificates" of the IAM Roles
Anywhere User Guide: Signature Version 4 with the certificate's key in the place of the
secret, and its serial number in the place of the access key ID. ``Invalid signature``,
``Not authorized to set roleSessionName.``, ``Untrusted Signing Certificate`` and
``Untrusted certificate. Insufficient certificate`` are messages that users of AWS
report. The other messages follow their pattern.
"""

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from emulator import errors, sigv4, trust
from emulator.keys import Lifetime, unique_id

if t.TYPE_CHECKING:
    from cryptography import x509

    from emulator.account import Account
    from emulator.keys import Keyring
    from emulator.policies import Policy
    from emulator.sigv4 import Authorization, SignedRequest

SERVICE = "rolesanywhere"
OPERATION = "CreateSession"
PATH = "/sessions"
SHORTEST_SESSION = 900
LONGEST_SESSION = 43200
RSA_ALGORITHM = "AWS4-X509-RSA-SHA256"
ECDSA_ALGORITHM = "AWS4-X509-ECDSA-SHA256"


@dataclass
class Rules(Lifetime):
    """Rules of the role and the profile. They may be changed at any time.

    Args:
        session_seconds: The lifetime of credentials; None for the duration in the
            request.
        reported_seconds: The lifetime according to the answer; None for the real one.
        profile_maximum: The maximum duration of the profile, in seconds. It replaces a
            longer duration in a request, as in AWS.
        role_maximum: The maximum duration of the role, in seconds. Longer requests are
            refused.
        accept_role_session_name: Whether the profile accepts a role session name.
        policies: The policies of the role; None if they allow all actions.
    """

    profile_maximum: int = LONGEST_SESSION
    role_maximum: int = LONGEST_SESSION
    accept_role_session_name: bool = False
    policies: tuple[Policy, ...] | None = None


class RolesAnywhere:
    """Answers CreateSession for one trust anchor, one profile and one role.

    Args:
        account: The account and its Region.
        anchor: The CA certificate of the trust anchor.
        keys: The access keys, to which new credentials are added.
        rules: Rules of the role and the profile.
    """

    def __init__(
        self,
        account: Account,
        anchor: x509.Certificate,
        keys: Keyring,
        rules: Rules,
    ) -> None:
        """Keep the arguments, and set the ARNs."""
        self._account = account
        self.anchor = anchor
        self._keys = keys
        self._rules = rules
        self.trust_anchor_arn = account.arn(
            SERVICE, "trust-anchor/5d3a0c52-0f1c-4b5e-9a39-6f3f5be6c101"
        )
        self.profile_arn = account.arn(
            SERVICE, "profile/8a7b1f9e-3c41-4d0e-8b77-2f0d9d1fa202"
        )
        self._role_name = "SiteWiseReader"
        self.role_arn = account.arn("iam", f"role/{self._role_name}")

    def trust(self, certificate: x509.Certificate) -> None:
        """Replace the CA certificate of the trust anchor."""
        self.anchor = certificate

    def create_session(self, request: SignedRequest, now: datetime) -> bytes:
        """Check a request and issue credentials.

        Args:
            request: The request.
            now: The emulator's time, with a time zone.

        Returns:
            The body of an answer with status 201, as JSON.

        Raises:
            ApiError: IAM Roles Anywhere answers with this error.
        """
        authorization = sigv4.parse_authorization(request.headers.get("authorization"))
        leaf = self._certificate(request, now)
        _check_signature(request, authorization, leaf)
        sigv4.check_date_and_scope(
            request,
            authorization,
            region=self._account.region,
            service=SERVICE,
            now=now,
        )
        parameters = _body(request)
        duration = self._duration(parameters)
        self._check_arns(parameters)
        session_name = parameters.get("roleSessionName")
        if session_name is not None and not self._rules.accept_role_session_name:
            msg = "Not authorized to set roleSessionName."
            raise errors.access_denied(msg)
        # AWS names a session after the certificate's serial number in hexadecimal.
        return self._answer(session_name or f"{leaf.serial_number:x}", duration, leaf)

    def _certificate(self, request: SignedRequest, now: datetime) -> x509.Certificate:
        header = request.headers.get("x-amz-x509")
        if not header:
            raise errors.missing_authentication()
        leaf = trust.from_header(header)
        chain = request.headers.get("x-amz-x509-chain")
        parents = (
            [trust.from_header(part) for part in chain.split(",")] if chain else []
        )
        trust.check(leaf, parents, self.anchor, now)
        return leaf

    def _duration(self, parameters: dict[str, t.Any]) -> int:
        duration = parameters.get("durationSeconds", 3600)
        if not isinstance(duration, int) or isinstance(duration, bool):
            rule = "Member must be an integer"
            raise errors.validation(
                errors.constraint(duration, "durationSeconds", rule)
            )
        if duration < SHORTEST_SESSION:
            rule = f"Member must have value greater than or equal to {SHORTEST_SESSION}"
            raise errors.validation(
                errors.constraint(duration, "durationSeconds", rule)
            )
        if duration > LONGEST_SESSION:
            rule = f"Member must have value less than or equal to {LONGEST_SESSION}"
            raise errors.validation(
                errors.constraint(duration, "durationSeconds", rule)
            )
        duration = min(duration, self._rules.profile_maximum)
        if duration > self._rules.role_maximum:
            msg = (
                "The requested DurationSeconds exceeds the MaxSessionDuration "
                "set for this role."
            )
            raise errors.validation(msg)
        return duration

    def _check_arns(self, parameters: dict[str, t.Any]) -> None:
        for member in ("trustAnchorArn", "profileArn", "roleArn"):
            value = parameters.get(member)
            if not isinstance(value, str):
                rule = "Member must not be null"
                raise errors.validation(errors.constraint(value, member, rule))
        if parameters["trustAnchorArn"] != self.trust_anchor_arn:
            msg = "Trust anchor not found"
            raise errors.not_found(msg)
        if parameters["profileArn"] != self.profile_arn:
            msg = "Profile not found"
            raise errors.not_found(msg)
        if parameters["roleArn"] != self.role_arn:
            msg = f"Unable to assume role for {parameters['roleArn']}"
            raise errors.access_denied(msg)

    def _answer(
        self, session_name: str, duration: int, leaf: x509.Certificate
    ) -> bytes:
        lifetime, reported = self._rules.seconds(duration)
        assumed = self._account.arn(
            "sts", f"assumed-role/{self._role_name}/{session_name}"
        )
        name = leaf.subject.rfc4514_string()
        key = self._keys.issue_session(
            assumed, lifetime, self._rules.policies, source_identity=name
        )
        expiration = datetime.fromtimestamp(time.time() + reported, timezone.utc)
        answer = {
            "credentialSet": [
                {
                    "assumedRoleUser": {
                        "arn": assumed,
                        "assumedRoleId": f"{unique_id(self.role_arn)}:{session_name}",
                    },
                    "credentials": {
                        "accessKeyId": key.access_key_id,
                        "secretAccessKey": key.secret_access_key,
                        "sessionToken": key.session_token,
                        "expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}",
                    },
                    "packedPolicySize": 26,
                    "roleArn": self.role_arn,
                    "sourceIdentity": name,
                },
            ],
            "subjectArn": self._account.arn(
                SERVICE, "subject/41c10bae-6783-40d4-ab20-65dc5d922e45"
            ),
        }
        return json.dumps(answer).encode()


def _check_signature(
    request: SignedRequest,
    authorization: Authorization,
    leaf: x509.Certificate,
) -> None:
    signed = sigv4.string_to_sign(request, authorization).encode(
        errors="surrogateescape"
    )
    key = leaf.public_key()
    try:
        signature = bytes.fromhex(authorization.signature)
        # AWS accepts only these two names, with any hash in the CA's signature.
        if authorization.algorithm == RSA_ALGORITHM and isinstance(
            key, rsa.RSAPublicKey
        ):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        elif authorization.algorithm == ECDSA_ALGORITHM and isinstance(
            key,
            ec.EllipticCurvePublicKey,
        ):
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        else:
            msg = f"Unsupported AWS 'algorithm': '{authorization.algorithm}'."
            raise errors.incomplete_signature(msg)
    except (InvalidSignature, ValueError):
        msg = "Invalid signature"
        raise errors.access_denied(msg) from None
    if authorization.identity != str(leaf.serial_number):
        msg = "Invalid signature"
        raise errors.access_denied(msg)
    for header in ("x-amz-x509", "x-amz-x509-chain"):
        if header in request.headers and header not in authorization.signed_headers:
            msg = "Invalid signature"
            raise errors.access_denied(msg)


def _body(request: SignedRequest) -> dict[str, t.Any]:
    try:
        parameters = json.loads(request.body)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        msg = "Request body must be a JSON object"
        raise errors.validation(msg)
    return parameters
