"""The emulator, which a test starts and stops."""

from __future__ import annotations

import typing as t

from cryptography import x509

from emulator import plant as plants
from emulator.account import Account
from emulator.authorities import Authority
from emulator.certificates import pem
from emulator.families import OPERATIONS
from emulator.faults import Faults
from emulator.handler import RequestHandler
from emulator.keys import AccessKey, Keyring, Lifetime
from emulator.policies import allow
from emulator.roles import read
from emulator.roles_anywhere import RolesAnywhere, Rules
from emulator.server import HOST, Endpoint, Server
from emulator.sitewise import SiteWise
from emulator.stats import Stats
from emulator.sts import Sts

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from emulator.authorities import HashName
    from emulator.certificates import ClientCertificate, KeyKind
    from emulator.operations import Operation

# The example of AWS's documentation. No secret scanner reports it.
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - documented example


class Emulator:
    """AWS IoT SiteWise, STS and IAM Roles Anywhere on the loopback address.

    It is a context manager, and serves in its own thread. While it runs, you can
    change ``plant``, ``faults``, ``session_rules`` and ``assume_role_lifetime``, and
    read ``stats``. ``assumable_roles`` has the ARNs of ``roles`` by their names.

    Args:
        asset_models: Number of asset models to generate.
        portals: Number of portals to generate.
        projects_per_portal: Number of projects to generate in each portal.
        contents: One of ``plant.CONTENTS``.
        sizes: Number of records of other kinds, for each parent; none when None.
        seed: The same seed and numbers give the same plant.
        plant: A plant to use instead of a generated one.
        account: The account and its Region.
        operations: The operations of SiteWise.
        access_key_id: Access key ID of a user with all permissions.
        secret_access_key: Secret access key of this user.
        port: Port of SiteWise over plain HTTP; 0 for any free port.
        tls_port: Port of SiteWise over TLS; 0 for any free port.
        roles_anywhere_port: Port of IAM Roles Anywhere; 0 for any free port.
        rules: Rules of the role and the profile of Roles Anywhere.
        roles: Roles that can be assumed, and callers of other accounts: the content of
            a file for ``--roles``.

    Raises:
        PolicyError: ``roles`` is malformed, or contains a policy that is.
    """

    def __init__(  # noqa: PLR0913 - settings, by name only
        self,
        *,
        asset_models: int = 30,
        portals: int = 5,
        projects_per_portal: int = 4,
        contents: str = "hostile",
        sizes: Mapping[str, int] | None = None,
        seed: int = 7,
        plant: plants.Plant | None = None,
        account: Account | None = None,
        operations: Iterable[Operation] = OPERATIONS,
        access_key_id: str = ACCESS_KEY_ID,
        secret_access_key: str = SECRET_ACCESS_KEY,
        port: int = 0,
        tls_port: int = 0,
        roles_anywhere_port: int = 0,
        rules: Rules | None = None,
        roles: Mapping[str, object] | None = None,
    ) -> None:
        """Generate the account. Ports are opened later, by ``with``."""
        account = account or Account()
        self.region = account.region
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.plant = plant or plants.Plant.make(
            contents,
            asset_models=asset_models,
            portals=portals,
            projects=projects_per_portal,
            seed=seed,
            account=account,
            **(sizes or {}),
        )
        self.faults = Faults()
        self.stats = Stats()
        self.session_rules = rules or Rules()
        self.assume_role_lifetime = Lifetime()
        self._session_arn = account.arn("sts", "assumed-role/Reader/tap")
        user_arn = account.arn("iam", "user/tap")
        user = AccessKey(access_key_id, secret_access_key, None, None, user_arn)
        assumable = read(dict(roles or {}), account, access_key_id)
        self._keys = Keyring([user, *assumable.callers])
        self.assumable_roles = {r.name: r.arn for r in assumable.roles.values()}
        self._anchor = Authority.root("Emulator trust anchor")
        self._untrusted: Authority | None = None
        sessions = self._sessions = RolesAnywhere(
            account, self._anchor.certificate, self._keys, self.session_rules
        )
        self.role_arn = sessions.role_arn
        if self.role_arn in assumable.roles:
            self.session_rules.policies = assumable.roles[self.role_arn].policies
        self.profile_arn = sessions.profile_arn
        self.trust_anchor_arn = sessions.trust_anchor_arn
        self._handler = RequestHandler(
            region=self.region,
            plant=self.plant,
            keys=self._keys,
            sitewise=SiteWise(self.plant, account, operations),
            sessions=sessions,
            assuming=Sts(account, assumable, self._keys, self.assume_role_lifetime),
            faults=self.faults,
            stats=self.stats,
        )
        self._server = Server(
            (
                Endpoint(self._handler.serve_sitewise, port, tls=False),
                Endpoint(self._handler.serve_sitewise, tls_port, tls=True),
                Endpoint(
                    self._handler.serve_roles_anywhere, roles_anywhere_port, tls=True
                ),
            ),
            Authority.root("Emulator TLS CA"),
        )

    # Addresses

    @property
    def endpoint_url(self) -> str:
        """URL of SiteWise and STS over plain HTTP."""
        return f"http://{HOST}:{self._server.port(0)}"

    @property
    def tls_endpoint_url(self) -> str:
        """URL of SiteWise and STS over TLS. ``ca_bundle`` contains the server's CA."""
        return f"https://{HOST}:{self._server.port(1)}"

    @property
    def roles_anywhere_url(self) -> str:
        """URL of IAM Roles Anywhere. ``ca_bundle`` contains the server's CA."""
        return f"https://{HOST}:{self._server.port(2)}"

    @property
    def ca_bundle(self) -> str:
        """Path of a PEM file with the CA of the TLS servers. It is deleted at exit."""
        return self._server.ca_bundle

    # Credentials and permissions

    def issue_session(
        self,
        *,
        seconds: float = 3600,
        actions: Iterable[str] | None = None,
    ) -> AccessKey:
        """Issue temporary credentials, as STS does.

        Args:
            seconds: The time until they expire; negative if they are expired already.
            actions: Actions that they allow, such as ``iotsitewise:ListPortals``; None
                for all.
        """
        policies = None if actions is None else [allow(*actions)]
        return self._keys.issue_session(self._session_arn, seconds, policies)

    @property
    def issued_sessions(self) -> list[AccessKey]:
        """All temporary credentials that the emulator issued, the oldest first."""
        return self._keys.sessions

    def expire_sessions(self) -> None:
        """Let all temporary credentials expire now."""
        self._keys.expire_sessions()

    def deny(self, *actions: str) -> None:
        """Deny IAM actions to everybody, such as ``iotsitewise:ListProjects``."""
        self._handler.denials.actions.update(actions)

    def allow(self, *actions: str) -> None:
        """Allow IAM actions again that ``deny`` denied."""
        self._handler.denials.actions.difference_update(actions)

    def deny_series(self, *series_ids: str) -> None:
        """Deny everybody the values of time series: their entries get an error."""
        self._handler.denials.series.update(series_ids)

    def allow_series(self, *series_ids: str) -> None:
        """Allow everybody the values of time series that ``deny_series`` denied."""
        self._handler.denials.series.difference_update(series_ids)

    @property
    def clock_offset(self) -> float:
        """Seconds by which the emulator's clock is ahead of the machine's clock."""
        return self._handler.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self._handler.clock_offset = seconds

    def issue_certificate(  # noqa: PLR0913 - each is one property of the certificate
        self,
        *,
        key: KeyKind = "ec",
        intermediate: bool = False,
        ca_hash: HashName = "sha256",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        trusted: bool = True,
        digital_signature: bool = True,
        authority: bool = False,
        intermediate_is_authority: bool = True,
    ) -> ClientCertificate:
        """Issue a client certificate for IAM Roles Anywhere.

        Args:
            key: ``ec`` (P-256) or ``rsa`` (2048 bits, the same key in one process).
            intermediate: Whether an intermediate CA issues it. Then a client must send
                the chain.
            ca_hash: The hash algorithm of the CA's signature.
            not_before: The start of its validity; a day ago when None.
            not_after: The end of its validity; in a year when None.
            trusted: Whether the CA is the trust anchor's.
            digital_signature: Whether the key usage allows signatures. IAM Roles
                Anywhere refuses it otherwise.
            authority: Whether the certificate is marked as a CA. IAM Roles Anywhere
                refuses it then.
            intermediate_is_authority: Whether the intermediate is marked as a CA.
        """
        issuer = self._anchor
        if not trusted:
            self._untrusted = self._untrusted or Authority.root("Untrusted CA")
            issuer = self._untrusted
        if intermediate:
            issuer = issuer.intermediate(
                "Emulator intermediate",
                hash_name=ca_hash,
                authority=intermediate_is_authority,
            )
        return issuer.client(
            kind=key,
            hash_name=ca_hash,
            not_before=not_before,
            not_after=not_after,
            digital_signature=digital_signature,
            authority=authority,
        )

    @property
    def trust_anchor_certificate(self) -> bytes:
        """The CA certificate of the trust anchor, as PEM."""
        return pem(self._sessions.anchor)

    def trust_authority(self, certificate: bytes) -> None:
        """Replace the CA certificate of the trust anchor.

        Args:
            certificate: The certificate as PEM.
        """
        self._sessions.trust(x509.load_pem_x509_certificate(certificate))

    # Start and stop

    def __enter__(self) -> Self:
        """Start to serve.

        Raises:
            OSError: A port is in use.
        """
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections, end the thread, and delete the files."""
        self._server.stop()
