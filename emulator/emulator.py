"""The emulator as one object that a test starts and stops."""

from __future__ import annotations

import typing as t

from cryptography import x509

from emulator import plant as plants
from emulator.account import Account
from emulator.authorities import Authority
from emulator.certificates import pem
from emulator.families import OPERATIONS
from emulator.faults import Faults
from emulator.keys import AccessKey, Keyring
from emulator.roles_anywhere import RolesAnywhere, Rules
from emulator.server import Front
from emulator.serving import HOST, Door, Serving
from emulator.sitewise import SiteWise
from emulator.stats import Stats

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from emulator.authorities import HashName
    from emulator.certificates import ClientCertificate, KeyKind
    from emulator.operations import Operation

# The pair that AWS's own documentation shows: no scanner takes it for a leaked one.
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - documented example


class Emulator:
    """AWS IoT SiteWise and IAM Roles Anywhere on the loopback address.

    A context manager that serves from a thread of its own.

    Args:
        asset_models: How many to make up.
        portals: How many to make up.
        projects_per_portal: How many to make up in each portal.
        seed: Seed of the made-up plant.
        plant: A plant to serve instead of a made-up one.
        account: The account that is served, and its Region.
        operations: Operations of SiteWise that are served.
        access_key_id: Access key ID of a user who may do everything.
        secret_access_key: The user's secret access key.
        port: Port of SiteWise over plain HTTP; 0 for any free one.
        tls_port: Port of SiteWise over TLS; 0 for any free one.
        roles_anywhere_port: Port of IAM Roles Anywhere; 0 for any free one.
        rules: How the role and the profile of Roles Anywhere are set up.

    Attributes:
        plant: What SiteWise lists; may be changed while serving.
        faults: What goes wrong; may be changed while serving.
        stats: What was asked for.
        session_rules: How the role and the profile are set up; may be changed.
    """

    def __init__(  # noqa: PLR0913 - each is one knob of the emulator, by name only
        self,
        *,
        asset_models: int = 30,
        portals: int = 5,
        projects_per_portal: int = 4,
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
    ) -> None:
        """Make up the account; nothing is served yet."""
        account = account or Account()
        self.region = account.region
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.plant = plant or plants.Plant.make(
            asset_models=asset_models,
            portals=portals,
            projects=projects_per_portal,
            seed=seed,
            account=account,
        )
        self.faults = Faults()
        self.stats = Stats()
        self.session_rules = rules or Rules()
        self._keys = Keyring()
        self._user_arn = account.arn("iam", "user/tap")
        self._keys.add(
            AccessKey(access_key_id, secret_access_key, None, None, self._user_arn),
        )
        self._anchor = Authority.root("Emulator trust anchor")
        self._stranger: Authority | None = None
        sessions = RolesAnywhere(
            account,
            self._anchor.certificate,
            self._keys,
            self.session_rules,
        )
        self._sessions = sessions
        self.role_arn = sessions.role_arn
        self.profile_arn = sessions.profile_arn
        self.trust_anchor_arn = sessions.trust_anchor_arn
        self._front = Front(
            region=self.region,
            plant=self.plant,
            keys=self._keys,
            site_wise=SiteWise(self.plant, account, operations),
            sessions=sessions,
            faults=self.faults,
            stats=self.stats,
        )
        self._serving = Serving(
            (
                Door(self._front.serve_sitewise, port, tls=False),
                Door(self._front.serve_sitewise, tls_port, tls=True),
                Door(self._front.serve_roles_anywhere, roles_anywhere_port, tls=True),
            ),
            Authority.root("Emulator TLS CA"),
        )

    # Where it is

    @property
    def endpoint_url(self) -> str:
        """SiteWise over plain HTTP."""
        return f"http://{HOST}:{self._serving.port(0)}"

    @property
    def tls_endpoint_url(self) -> str:
        """SiteWise over TLS, with a certificate of the authority in ``ca_bundle``."""
        return f"https://{HOST}:{self._serving.port(1)}"

    @property
    def roles_anywhere_url(self) -> str:
        """IAM Roles Anywhere, with a certificate of the authority in ``ca_bundle``."""
        return f"https://{HOST}:{self._serving.port(2)}"

    @property
    def ca_bundle(self) -> str:
        """Path of a PEM file with the TLS servers' authority; gone after the exit."""
        return self._serving.ca_bundle

    # Whom it lets in

    def issue_session(
        self,
        *,
        seconds: float = 3600,
        actions: Iterable[str] | None = None,
    ) -> AccessKey:
        """Temporary credentials, as STS would give them.

        Args:
            seconds: How long they are valid; negative for ones that have expired.
            actions: Actions that they allow, such as ``iotsitewise:ListPortals``; None
                for all.
        """
        arn = self._user_arn.replace(":iam:", ":sts:").replace(
            ":user/", ":assumed-role/Reader/"
        )
        return self._keys.issue_session(arn, seconds, actions)

    @property
    def issued_sessions(self) -> list[AccessKey]:
        """Temporary credentials made so far, by CreateSession or ``issue_session``."""
        return self._keys.sessions

    def expire_sessions(self) -> None:
        """Expire all temporary credentials made so far."""
        self._keys.expire_sessions()

    def deny(self, *actions: str) -> None:
        """Forbid everybody these IAM actions, such as ``iotsitewise:ListProjects``."""
        self._front.denied_actions.update(actions)

    def allow(self, *actions: str) -> None:
        """Take back ``deny``."""
        self._front.denied_actions.difference_update(actions)

    @property
    def clock_offset(self) -> float:
        """Seconds that the emulator's clock is ahead of the machine's: clock skew."""
        return self._front.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self._front.clock_offset = seconds

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
        """A client certificate for IAM Roles Anywhere.

        Args:
            key: ``ec`` (P-256) or ``rsa`` (2048 bits, the same for a whole process).
            intermediate: Issued by an authority below the trust anchor, so that a
                client has to send the chain.
            ca_hash: What the issuing authority signs with.
            not_before: Since when it is valid; a day ago when None.
            not_after: Until when it is valid; in a year when None.
            trusted: False for one of another authority.
            digital_signature: False for a key usage that IAM Roles Anywhere refuses.
            authority: True for a leaf that says it is an authority, which is refused.
            intermediate_is_authority: False for an intermediate that is none.
        """
        issuer = self._anchor
        if not trusted:
            self._stranger = self._stranger or Authority.root("Somebody else's CA")
            issuer = self._stranger
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
        """The certificate behind the trust anchor, as PEM."""
        return pem(self._sessions.anchor)

    def trust_authority(self, certificate: bytes) -> None:
        """Put another authority behind the trust anchor.

        Args:
            certificate: Its certificate as PEM, made by openssl for example.
        """
        self._sessions.trust(x509.load_pem_x509_certificate(certificate))

    # How it runs

    def __enter__(self) -> Self:
        """Serve.

        Raises:
            OSError: A port is taken.
        """
        self._serving.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop at once. The thread and the files are gone afterwards."""
        self._serving.stop()
