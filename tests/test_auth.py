"""Who the tap says it is, and what it says of a certificate that will not do."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests import expected
from tests.answering import answering
from tests.conftest import static

if t.TYPE_CHECKING:
    from emulator import Emulator
    from emulator.certificates import ClientCertificate
    from tests.conftest import TapCommand

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - locks what a test made
YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)
TOMORROW = YESTERDAY + timedelta(days=2)


def anywhere(aws: Emulator, **settings: object) -> dict[str, t.Any]:
    """Settings that reach an emulated account by way of Roles Anywhere."""
    return {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "roles_anywhere",
        "role_arn": aws.role_arn,
        "profile_arn": aws.profile_arn,
        "trust_anchor_arn": aws.trust_anchor_arn,
        "roles_anywhere_endpoint_url": aws.roles_anywhere_url,
        **settings,
    }


def write(directory: Path, name: str, content: bytes) -> str:
    path = directory / name
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


class Forms:
    """The forms in which one certificate can be set."""

    def __init__(self, issued: ClientCertificate, directory: Path) -> None:
        self._issued = issued
        self._directory = directory

    def settings(self, form: str) -> dict[str, str]:
        return t.cast("dict[str, str]", getattr(self, form)())

    def paths(self) -> dict[str, str]:
        chain = {}
        if self._issued.chain:
            chain["certificate_chain"] = self._file("chain.pem", self._issued.chain)
        return {
            "client_certificate": self._file("leaf.pem", self._issued.certificate),
            "private_key": self._file("key.pem", self._issued.private_key),
            **chain,
        }

    def texts(self) -> dict[str, str]:
        return {
            name: Path(path).read_text("ascii") for name, path in self.paths().items()
        }

    def texts_on_one_line(self) -> dict[str, str]:
        # As a .env file or a secret store gives them back.
        return {name: text.replace("\n", "\\n") for name, text in self.texts().items()}

    def one_pem_with_its_chain(self) -> dict[str, str]:
        return {
            "client_certificate": self._file("bundle.pem", self._issued.bundle),
            "private_key": self._issued.private_key.decode("ascii"),
        }

    def encrypted_key(self) -> dict[str, str]:
        key = self._issued.encrypted_private_key(PASSPHRASE)
        return {
            **self.paths(),
            "private_key": self._file("encrypted.pem", key),
            "private_key_passphrase": PASSPHRASE,
        }

    def traditional_key(self) -> dict[str, str]:
        key = self._issued.traditional_private_key
        return {**self.paths(), "private_key": self._file("traditional.pem", key)}

    def pkcs12(self) -> dict[str, str]:
        content = self._issued.pkcs12(PASSPHRASE)
        return {
            "client_certificate": self._file("identity.p12", content),
            "private_key_passphrase": PASSPHRASE,
        }

    def pkcs12_without_passphrase(self) -> dict[str, str]:
        content = self._issued.pkcs12(None)
        return {"client_certificate": self._file("identity.pfx", content)}

    def _file(self, name: str, content: bytes) -> str:
        return write(self._directory, name, content)


@pytest.mark.parametrize(
    ("key", "intermediate", "ca_hash", "form"),
    [
        ("ec", False, "sha256", "paths"),
        ("ec", True, "sha256", "texts"),
        ("ec", True, "sha384", "one_pem_with_its_chain"),
        ("ec", False, "sha256", "texts_on_one_line"),
        ("ec", True, "sha256", "pkcs12"),
        ("rsa", False, "sha384", "encrypted_key"),
        ("rsa", True, "sha256", "paths"),
        ("rsa", False, "sha256", "traditional_key"),
        ("rsa", True, "sha256", "pkcs12_without_passphrase"),
    ],
)
def test_a_certificate_gives_every_record_in_every_form(  # noqa: PLR0913
    tap: TapCommand,
    aws: Emulator,
    *,
    key: t.Literal["ec", "rsa"],
    intermediate: bool,
    ca_hash: t.Literal["sha256", "sha384"],
    form: str,
) -> None:
    issued = aws.issue_certificate(key=key, intermediate=intermediate, ca_hash=ca_hash)
    forms = Forms(issued, tap.directory)

    run = tap(
        anywhere(aws, **forms.settings(form)),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    ).succeeded()

    assert run.records("projects") == expected.records(aws.plant)["projects"]
    assert aws.stats.successes["CreateSession"] == 1


def test_the_session_name_is_sent_only_when_it_is_set(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(), tap.directory)
    environment = {"AWS_CA_BUNDLE": aws.ca_bundle}
    named = anywhere(aws, **forms.paths(), session_name="plant-7")

    # The profile accepts none, so that one which is sent is refused.
    without = tap(anywhere(aws, **forms.paths()), environment=environment)
    refused = tap(named, environment=environment)
    aws.session_rules.accept_role_session_name = True
    accepted = tap(named, environment=environment)

    assert without.succeeded().records("portals")
    assert "remove session_name" in refused.error
    assert accepted.succeeded().records("portals")


def test_the_session_duration_is_sent(tap: TapCommand, aws: Emulator) -> None:
    aws.session_rules.role_maximum = 1800
    forms = Forms(aws.issue_certificate(), tap.directory)
    environment = {"AWS_CA_BUNDLE": aws.ca_bundle}

    refused = tap(anywhere(aws, **forms.paths()), environment=environment)
    shorter = anywhere(aws, **forms.paths(), session_duration=1800)
    accepted = tap(shorter, environment=environment)

    assert "session_duration must not exceed" in refused.error
    assert accepted.succeeded().records("portals")


def test_a_session_token_made_elsewhere_is_used(tap: TapCommand, aws: Emulator) -> None:
    key = aws.issue_session(seconds=600)
    settings = static(
        aws,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
    )

    assert tap(settings).succeeded().records("portals")


def test_the_default_chain_reads_the_environment(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
    }

    run = tap(
        settings,
        environment={
            "AWS_ACCESS_KEY_ID": aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        },
    ).succeeded()

    assert run.records("portals") == expected.records(aws.plant)["portals"]


def test_the_default_chain_reads_a_profile(tap: TapCommand, aws: Emulator) -> None:
    shared = tap.file(
        "credentials",
        "[plant]\n"
        f"aws_access_key_id = {aws.access_key_id}\n"
        f"aws_secret_access_key = {aws.secret_access_key}\n",
    )
    settings = {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
        "aws_profile": "plant",
    }
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(shared)}

    run = tap(settings, environment=environment).succeeded()
    other = tap({**settings, "aws_profile": "plnat"}, environment=environment)

    assert run.records("portals") == expected.records(aws.plant)["portals"]
    assert "has no profile 'plnat'" in other.error


_OVER = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "secret",
    "Token": "token",
    "Expiration": "2020-01-01T00:00:00Z",
}
USELESS_CREDENTIALS: dict[str, bytes] = {
    "not UTF-8": "Störung".encode("latin-1"),
    "HTML": b"<html>log in</html>",
    "a list": b"[1]",
    "null": b"null",
    "an empty object": b"{}",
    "nested deep": b"[" * 100_000,
    "numbers": json.dumps(dict.fromkeys(_OVER, 5)).encode(),
    "expired": json.dumps(_OVER).encode(),
}


@pytest.mark.parametrize("case", USELESS_CREDENTIALS)
def test_credentials_of_a_container_that_cannot_be_used_are_one_error(
    tap: TapCommand, aws: Emulator, case: str
) -> None:
    settings = {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
    }
    with answering(lambda: USELESS_CREDENTIALS[case]) as url:
        run = tap(settings, environment={"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})

    assert re.match(r"auth_method: |ListAssetModels: ", run.error)
    assert re.search("it cannot use|Error when retrieving credentials", run.error)
    assert aws.stats.total == 0


def test_a_tls_endpoint_is_verified_by_the_ca_bundle(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = static(aws, aws_endpoint_url=aws.tls_endpoint_url)

    trusted = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle})
    refused = tap(settings)

    assert trusted.succeeded().records("portals")
    assert "TLS: the certificate of" in refused.error
    assert "AWS_CA_BUNDLE" in refused.error


BAD: dict[str, tuple[t.Callable[[Emulator, Path], dict[str, str]], str]] = {
    "missing": (
        lambda _aws, directory: {"client_certificate": f"{directory}/no.pem"},
        "client_certificate: cannot read the file that it names (no such file)",
    ),
    "of nobody": (
        lambda _aws, _directory: {"client_certificate": "~nosuchuser/c.pem"},
        "client_certificate: cannot read the file that it names (the home directory is",
    ),
    "a key of nobody": (
        lambda _aws, _directory: {"private_key": "~nosuchuser/c.key"},
        "private_key: cannot read the file that it names (the home directory is",
    ),
    "a directory": (
        lambda _aws, directory: {"client_certificate": str(directory)},
        "client_certificate: cannot read the file that it names (Is a directory)",
    ),
    "empty": (
        lambda _aws, directory: {"client_certificate": write(directory, "e.pem", b"")},
        "client_certificate: the file that it names is empty",
    ),
    "not PEM": (
        lambda _aws, directory: {
            "client_certificate": write(directory, "d.pem", b"\x30\x82binary")
        },
        "client_certificate is not in PEM format",
    ),
    "a key in its place": (
        lambda aws, directory: {
            "client_certificate": write(
                directory, "k.pem", aws.issue_certificate().private_key
            )
        },
        "client_certificate contains no valid certificate",
    ),
    "expired": (
        lambda aws, directory: Forms(
            aws.issue_certificate(
                not_before=YESTERDAY - timedelta(days=9), not_after=YESTERDAY
            ),
            directory,
        ).paths(),
        f"client_certificate expired on {YESTERDAY:%Y-%m-%d %H:%M:%S} UTC; issue a ",
    ),
    "not yet valid": (
        lambda aws, directory: Forms(
            aws.issue_certificate(not_before=TOMORROW), directory
        ).paths(),
        f"client_certificate is not valid before {TOMORROW:%Y-%m-%d %H:%M:%S} UTC",
    ),
    "another's key": (
        lambda aws, _directory: {
            "private_key": aws.issue_certificate().private_key.decode()
        },
        "private_key does not match client_certificate",
    ),
    "no key": (
        lambda _aws, _directory: {"private_key": ""},
        "private_key is missing: a client_certificate in PEM format needs it",
    ),
    "a key that is none": (
        lambda _aws, directory: {
            "private_key": write(directory, "n.pem", b"not a key at all")
        },
        "private_key is not in PEM format",
    ),
    "a broken key": (
        lambda _aws, _directory: {
            "private_key": "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----"
        },
        "private_key contains no valid key",
    ),
    "no passphrase": (
        lambda aws, directory: {
            **Forms(aws.issue_certificate(), directory).encrypted_key(),
            "private_key_passphrase": "",
        },
        "private_key_passphrase is missing: private_key is encrypted",
    ),
    "a wrong passphrase": (
        lambda aws, directory: {
            **Forms(aws.issue_certificate(), directory).encrypted_key(),
            "private_key_passphrase": "wrong one",
        },
        "private_key_passphrase is wrong: it does not decrypt private_key",
    ),
    "PKCS#12, a wrong passphrase": (
        lambda aws, directory: {
            **Forms(aws.issue_certificate(), directory).pkcs12(),
            "private_key_passphrase": "wrong one",
        },
        "private_key_passphrase is wrong, or",
    ),
    "PKCS#12 without a key": (
        lambda aws, directory: {
            "client_certificate": write(
                directory,
                "c.p12",
                aws.issue_certificate().pkcs12(PASSPHRASE, with_key=False),
            ),
            "private_key_passphrase": PASSPHRASE,
        },
        "the PKCS#12 file contains no private key",
    ),
    "the leaf not first": (
        lambda aws, directory: _leaf_last(
            aws.issue_certificate(intermediate=True), directory
        ),
        "private_key matches a later certificate, not the first one",
    ),
    "a chain that is none": (
        lambda _aws, directory: {"certificate_chain": write(directory, "c", b"none")},
        "certificate_chain is not in PEM format",
    ),
}


def _leaf_last(issued: ClientCertificate, directory: Path) -> dict[str, str]:
    return {
        "client_certificate": write(
            directory, "turned.pem", issued.chain + issued.certificate
        ),
        "private_key": issued.private_key.decode(),
    }


@pytest.mark.parametrize("case", BAD)
def test_a_certificate_that_will_not_do_is_refused_before_any_call(
    tap: TapCommand, aws: Emulator, case: str
) -> None:
    settings, words = BAD[case]
    good = Forms(aws.issue_certificate(), tap.directory).paths()
    changed = settings(aws, tap.directory)

    run = tap(anywhere(aws, **{**good, **changed}))

    assert words in run.error
    assert aws.stats.total == 0
    assert PASSPHRASE not in run.log


def test_every_fault_of_the_settings_is_named_at_once(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = anywhere(
        aws,
        aws_region="eu_west_1",
        role_arn="my-role",
        profile_arn=None,
        page_size=900,
        client_certificate=str(tap.directory / "no.pem"),
        private_key=str(tap.directory / "no.key"),
    )

    error = tap(settings).error

    for words in (
        "aws_region: 'eu_west_1' is not an AWS Region code; did you mean eu-west-1?",
        "role_arn is not the ARN of a role",
        "profile_arn is missing",
        "page_size must be 1 to 250, not 900",
        "client_certificate: cannot read",
        "private_key: cannot read",
    ):
        assert words in error
    assert aws.stats.total == 0


def test_credentials_that_run_out_are_renewed_and_nothing_is_lost(
    tap: TapCommand, aws: Emulator
) -> None:
    # botocore renews what ends within ten minutes, with each request; from then on
    # the old ones are refused.
    aws.session_rules.session_seconds = 300
    aws.faults.before("CreateSession", lambda _: aws.expire_sessions())
    forms = Forms(aws.issue_certificate(), tap.directory)
    settings = anywhere(aws, **forms.paths(), page_size=3, max_concurrency=1)

    run = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle}).succeeded()

    assert run.records("projects") == expected.records(aws.plant)["projects"]
    assert aws.stats.successes["CreateSession"] > 2
