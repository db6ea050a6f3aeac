"""The emulator as one object that a test starts and stops."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from cryptography import x509

from emulator import plant as plants
from emulator.account import Account
from emulator.certificates import Authority, ClientCertificate, pem
from emulator.families import OPERATIONS
from emulator.faults import Faults
from emulator.keys import AccessKey, Keyring
from emulator.roles_anywhere import RolesAnywhere, Rules
from emulator.server import Front
from emulator.sitewise import SiteWise
from emulator.stats import Stats

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from emulator.certificates import HashName, KeyKind
    from emulator.operations import Operation

HOST = "127.0.0.1"
# The pair that AWS's own documentation shows: no scanner takes it for a leaked one.
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - documented example
# A certificate chain of five RSA certificates takes some 8 KiB of one header.
_LONGEST_HEADER = 65_536


class Emulator:
    """AWS IoT SiteWise and IAM Roles Anywhere on the loopback address.

    A context manager that serves from a thread of its own.

    Args:
        asset_models: how many to make up.
        portals: how many to make up.
        projects_per_portal: how many to make up in each portal.
        seed: of the made-up plant.
        plant: a plant to serve in the place of a made-up one.
        account: the account that is served, and its Region.
        operations: those of SiteWise that are served.
        access_key_id: of the user that may do everything.
        secret_access_key: of the same.
        port: for SiteWise over plain HTTP; 0 for any free one.
        tls_port: for SiteWise over TLS; 0 for any free one.
        roles_anywhere_port: for IAM Roles Anywhere; 0 for any free one.
        rules: how the role and the profile of Roles Anywhere are set up.

    Attributes:
        plant: what there is to list; may be changed while serving.
        faults: what goes wrong; may be changed while serving.
        stats: what was asked for.
        session_rules: how the role and the profile are set up; may be changed.
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
            projects_per_portal=projects_per_portal,
            seed=seed,
            account=account,
        )
        self.faults = Faults()
        self.stats = Stats()
        self.session_rules = rules or Rules()
        self._ports = (port, tls_port, roles_anywhere_port)
        self._keys = Keyring()
        self._user_arn = account.arn("iam", "user/tap")
        self._keys.add(
            AccessKey(access_key_id, secret_access_key, None, None, self._user_arn),
        )
        self._tls_authority = Authority.root("Emulator TLS CA")
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
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None

    # Where it is

    @property
    def endpoint_url(self) -> str:
        """SiteWise over plain HTTP."""
        return f"http://{HOST}:{self._ports[0]}"

    @property
    def tls_endpoint_url(self) -> str:
        """SiteWise over TLS, with a certificate of the authority in `ca_bundle`."""
        return f"https://{HOST}:{self._ports[1]}"

    @property
    def roles_anywhere_url(self) -> str:
        """IAM Roles Anywhere, with a certificate of the authority in `ca_bundle`."""
        return f"https://{HOST}:{self._ports[2]}"

    @property
    def ca_bundle(self) -> str:
        """Path of a PEM file with the TLS servers' authority. Gone after `__exit__`."""
        return str(Path(self._directory.name) / "ca-bundle.pem")

    # Whom it lets in

    def issue_session(
        self,
        *,
        seconds: float = 3600,
        actions: Iterable[str] | None = None,
    ) -> AccessKey:
        """Temporary credentials, as STS would give them.

        Args:
            seconds: how long they are good for; negative for ones already expired.
            actions: what they may do, such as `iotsitewise:ListPortals`; None for all.
        """
        arn = self._user_arn.replace(":iam:", ":sts:").replace(
            ":user/", ":assumed-role/Reader/"
        )
        return self._keys.issue_session(arn, seconds, actions)

    @property
    def issued_sessions(self) -> list[AccessKey]:
        """Temporary credentials made so far, by CreateSession or `issue_session`."""
        return self._keys.sessions

    def expire_sessions(self) -> None:
        """End all temporary credentials made so far, whatever their time was to be."""
        self._keys.expire_sessions()

    def deny(self, *actions: str) -> None:
        """Forbid everybody these IAM actions, such as `iotsitewise:ListProjects`."""
        self._front.denied_actions.update(actions)

    def allow(self, *actions: str) -> None:
        """Take back `deny`."""
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
            key: `ec` (P-256) or `rsa` (2048 bits, the same for a whole process).
            intermediate: issued by an authority below the trust anchor, so that a
                client has to send the chain.
            ca_hash: what the issuing authority signs with.
            not_before: since when it is valid; a day ago when None.
            not_after: until when it is valid; in a year when None.
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
        """Put another authority behind the trust anchor, as one uploads one's own CA.

        Args:
            certificate: its certificate as PEM, made by openssl for example.
        """
        self._sessions.trust(x509.load_pem_x509_certificate(certificate))

    # How it runs

    def __enter__(self) -> Self:
        """Serve.

        Raises:
            OSError: a port is taken.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="emulator-")
        Path(self.ca_bundle).write_bytes(pem(self._tls_authority.certificate))
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.__exit__(None, None, None)
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, whatever is in flight; the thread and the files are gone afterwards."""
        if self._loop is not None and self._stop is not None and self._failure is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()
        self._directory.cleanup()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        tls = self._tls_context()
        runners: list[web.ServerRunner] = []
        try:
            bound = []
            for handler, port, context in (
                (self._front.serve_sitewise, self._ports[0], None),
                (self._front.serve_sitewise, self._ports[1], tls),
                (self._front.serve_roles_anywhere, self._ports[2], tls),
            ):
                server = web.Server(
                    handler,
                    handler_cancellation=True,
                    access_log=None,
                    max_line_size=_LONGEST_HEADER,
                    max_field_size=_LONGEST_HEADER,
                )
                runner = web.ServerRunner(server, shutdown_timeout=0.01)
                runners.append(runner)
                await runner.setup()
                await web.TCPSite(
                    runner, HOST, port, ssl_context=context, backlog=1024
                ).start()
                bound.append(int(runner.addresses[0][1]))
            self._ports = (bound[0], bound[1], bound[2])
            self._started.set()
            await self._stop.wait()
        finally:
            await _close(runners)

    def _tls_context(self) -> ssl.SSLContext:
        served = self._tls_authority.server()
        file = Path(self._directory.name) / "server.pem"
        file.touch(mode=0o600)
        file.write_bytes(served.private_key + served.bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(file)
        return context


async def _close(runners: list[web.ServerRunner]) -> None:
    """Stop listening and break off whatever is still connected."""
    open_transports = [
        connection.transport
        for runner in runners
        if runner.server is not None
        for connection in runner.server.connections
        if connection.transport is not None
    ]
    for transport in open_transports:
        # A TLS connection that is closed politely waits for the client to agree.
        transport.abort()
    for runner in runners:
        await runner.cleanup()
    # An aborted transport closes its socket in the loop's next round, and a TLS one
    # in the round after.
    for _ in range(3):
        await asyncio.sleep(0)
