"""The emulator's CreateSession, asked by a signer that shares no code with it."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
    pkcs12,
)
from iam_rolesanywhere_session import (
    CredentialsRetrievalError,
    IAMRolesAnywhereSession,
    IAMRolesAnywhereSigner,
)

from emulator import Authority, Emulator, Fault, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator import ClientCertificate
    from emulator.certificates import KeyKind

NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(portals=3) as emulator:
        yield emulator


@pytest.fixture
def aws(served: Emulator) -> Iterator[Emulator]:
    yield served
    served.faults.clear()
    served.stats.reset()
    served.clock_offset = 0
    vars(served.session_rules).update(vars(Rules()))


class Signer(IAMRolesAnywhereSigner):
    """The library's signer with the algorithm's name as AWS knows it."""

    named: str | None = None

    @property
    def algorithm(self) -> str:
        return self.named or f"AWS4-X509-{self.private_key_type}-SHA256"


def request_for(
    aws: Emulator,
    certificate: ClientCertificate,
    members: dict[str, object] | None = None,
    *,
    algorithm: str | None = None,
    service: str = "rolesanywhere",
) -> AWSRequest:
    body: dict[str, object] = {
        "durationSeconds": 3600,
        "profileArn": aws.profile_arn,
        "roleArn": aws.role_arn,
        "trustAnchorArn": aws.trust_anchor_arn,
        **(members or {}),
    }
    sent = {name: value for name, value in body.items() if value is not None}
    signer = Signer(
        certificate.certificate,
        certificate.private_key,
        certificate.chain or None,
        region=aws.region,
        service_name=service,
    )
    signer.named = algorithm
    url = f"{aws.roles_anywhere_url}/sessions"
    request = AWSRequest("POST", url, data=json.dumps(sent))
    signer.add_auth(request)
    return request


def post(
    aws: Emulator,
    request: AWSRequest,
    *,
    path: str = "/sessions",
) -> tuple[int, str | None, dict[str, Any]]:
    context = ssl.create_default_context(cafile=aws.ca_bundle)
    host = aws.roles_anywhere_url.removeprefix("https://")
    with contextlib.closing(
        http.client.HTTPSConnection(host, context=context, timeout=60),
    ) as line:
        headers = {name: str(value) for name, value in request.headers.items()}
        line.request("POST", path, request.data, headers)
        response = line.getresponse()
        code = response.getheader("x-amzn-ErrorType")
        return response.status, code, json.loads(response.read())


def create_session(
    aws: Emulator,
    certificate: ClientCertificate,
    **members: object,
) -> tuple[int, str | None, dict[str, Any]]:
    return post(aws, request_for(aws, certificate, members))


def library_session(
    aws: Emulator,
    certificate: ClientCertificate,
) -> IAMRolesAnywhereSession:
    return IAMRolesAnywhereSession(
        profile_arn=aws.profile_arn,
        role_arn=aws.role_arn,
        trust_anchor_arn=aws.trust_anchor_arn,
        certificate=certificate.certificate,
        private_key=certificate.private_key,
        certificate_chain=certificate.chain or None,
        region=aws.region,
        endpoint=aws.roles_anywhere_url.removeprefix("https://"),
        verify=aws.ca_bundle,
    )


@contextlib.contextmanager
def sitewise(aws: Emulator, session: IAMRolesAnywhereSession) -> Iterator[Any]:
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
    with contextlib.closing(
        session.get_session().client(
            "iotsitewise",
            endpoint_url=aws.endpoint_url,
            config=config,
        ),
    ) as client:
        yield client


@pytest.mark.parametrize("key", ["ec", "rsa"])
@pytest.mark.parametrize("intermediate", [False, True])
def test_the_library_gets_a_session_that_sitewise_takes(
    aws: Emulator,
    key: KeyKind,
    intermediate: bool,  # noqa: FBT001 - pytest's parameter
) -> None:
    certificate = aws.issue_certificate(key=key, intermediate=intermediate)
    with sitewise(aws, library_session(aws, certificate)) as client:
        assert len(client.list_portals()["portalSummaries"]) == 3
    assert aws.stats.successes == {"CreateSession": 1, "ListPortals": 1}


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_the_algorithm_is_not_named_after_the_hash_of_the_authority(
    aws: Emulator,
    key: KeyKind,
) -> None:
    certificate = aws.issue_certificate(key=key, ca_hash="sha384")
    with (
        sitewise(aws, library_session(aws, certificate)) as client,
        pytest.raises(CredentialsRetrievalError, match="SHA384"),
    ):
        client.list_portals()
    assert create_session(aws, certificate)[0] == 201


def test_an_algorithm_has_to_match_the_key(aws: Emulator) -> None:
    certificate = aws.issue_certificate(key="ec")
    request = request_for(aws, certificate, algorithm="AWS4-X509-RSA-SHA256")
    assert post(aws, request)[:2] == (403, "IncompleteSignatureException")


def test_the_answer_is_as_roles_anywhere_gives_it(aws: Emulator) -> None:
    certificate = aws.issue_certificate()
    before = datetime.now(timezone.utc)
    status, _, answer = create_session(aws, certificate, durationSeconds=900)
    after = datetime.now(timezone.utc)
    assert status == 201
    assert set(answer) == {"credentialSet", "subjectArn"}
    [session] = answer["credentialSet"]
    assert set(session) == {
        "assumedRoleUser",
        "credentials",
        "packedPolicySize",
        "roleArn",
        "sourceIdentity",
    }
    assert session["roleArn"] == aws.role_arn
    serial = f"{certificate.x509_certificate.serial_number:x}"
    assert session["assumedRoleUser"]["arn"].endswith(f"/{serial}")
    credentials = session["credentials"]
    assert credentials["accessKeyId"].startswith("ASIA")
    expiration = datetime.strptime(
        credentials["expiration"], "%Y-%m-%dT%H:%M:%SZ"
    ).replace(tzinfo=timezone.utc)
    # It names whole seconds.
    assert before - timedelta(seconds=1) < expiration - timedelta(seconds=900) <= after


def test_credentials_can_end_sooner_than_asked_for(aws: Emulator) -> None:
    # botocore renews what ends within ten minutes, with each request.
    aws.session_rules.session_seconds = 300
    with sitewise(aws, library_session(aws, aws.issue_certificate())) as client:
        for _ in range(3):
            assert client.list_portals()
    # The answer names the true expiry, so that botocore asks for new ones in time.
    assert aws.stats.errors == {}
    assert aws.stats.requests["CreateSession"] == 3
    assert (aws.issued_sessions[-1].expires_at or 0) <= time.time() + 300


def test_credentials_can_end_sooner_than_the_answer_says(aws: Emulator) -> None:
    aws.session_rules.session_seconds = 300
    aws.session_rules.reported_seconds = 3600
    with sitewise(aws, library_session(aws, aws.issue_certificate())) as client:
        assert client.list_portals()
        assert (aws.issued_sessions[-1].expires_at or 0) <= time.time() + 300
        aws.expire_sessions()
        with pytest.raises(ClientError, match="ExpiredTokenException"):
            client.list_portals()
    assert aws.stats.requests["CreateSession"] == 1


@pytest.mark.parametrize(
    ("property_", "message"),
    [
        ({"trusted": False}, "Untrusted Signing Certificate"),
        ({"trusted": False, "intermediate": True}, "Untrusted Signing Certificate"),
        (
            {"intermediate": True, "intermediate_is_authority": False},
            "Untrusted Signing Certificate",
        ),
        (
            {"digital_signature": False},
            "Untrusted certificate. Insufficient certificate",
        ),
        ({"authority": True}, "Untrusted certificate. Insufficient certificate"),
        (
            {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY},
            "Untrusted certificate. Expired certificate",
        ),
        (
            {"not_before": NOW + DAY},
            "Untrusted certificate. Certificate not yet valid",
        ),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted_is_refused(
    aws: Emulator,
    property_: dict[str, Any],
    message: str,
) -> None:
    certificate = aws.issue_certificate(**property_)
    status, code, body = create_session(aws, certificate)
    assert (status, code) == (403, "AccessDeniedException")
    assert body == {"message": message}


def test_a_missing_chain_is_refused(aws: Emulator) -> None:
    certificate = aws.issue_certificate(intermediate=True)
    alone = type(certificate)(certificate.x509_certificate, certificate.key)
    status, _, body = create_session(aws, alone)
    assert (status, body) == (403, {"message": "Untrusted Signing Certificate"})


def test_a_name_alone_does_not_make_an_issuer(aws: Emulator) -> None:
    anchor = x509.load_pem_x509_certificate(aws.trust_anchor_certificate)
    [name] = anchor.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    impostor = Authority.root(str(name.value)).client()
    assert create_session(aws, impostor)[:2] == (403, "AccessDeniedException")


def test_another_key_than_the_certificates_is_refused(aws: Emulator) -> None:
    mine, other = aws.issue_certificate(), aws.issue_certificate()
    stolen = type(mine)(other.x509_certificate, mine.key)
    status, _, body = create_session(aws, stolen)
    assert (status, body) == (403, {"message": "Invalid signature"})


@pytest.mark.parametrize(
    ("header", "old", "new", "code"),
    [
        ("Authorization", "Signature=", "Signature=00", "AccessDeniedException"),
        ("Authorization", "Signature=", "Signature=x", "AccessDeniedException"),
        ("Authorization", "Credential=", "Credential=1", "AccessDeniedException"),
        ("Authorization", "x-amz-x509", "x-amz-date", "AccessDeniedException"),
        ("Authorization", "/aws4_request", "", "IncompleteSignatureException"),
        ("X-Amz-Date", "T", "T1", "AccessDeniedException"),
        ("X-Amz-X509", "MII", "???", "AccessDeniedException"),
        ("X-Amz-X509", "MII", "AAAA", "AccessDeniedException"),
    ],
)
def test_a_spoiled_request_is_refused(
    aws: Emulator, header: str, old: str, new: str, code: str
) -> None:
    request = request_for(aws, aws.issue_certificate(key="rsa"))
    value = request.headers[header]
    assert old in value
    request.headers.replace_header(header, value.replace(old, new, 1))
    assert post(aws, request)[:2] == (403, code)


@pytest.mark.parametrize("header", ["Authorization", "X-Amz-X509"])
def test_a_request_without_its_headers_is_refused(aws: Emulator, header: str) -> None:
    request = request_for(aws, aws.issue_certificate())
    del request.headers[header]
    expected = (403, "MissingAuthenticationTokenException")
    assert post(aws, request)[:2] == expected


def test_a_changed_body_is_refused(aws: Emulator) -> None:
    request = request_for(aws, aws.issue_certificate())
    assert post(aws, request)[0] == 201
    request.data = str(request.data).replace("3600", "3601")
    assert post(aws, request)[2] == {"message": "Invalid signature"}


def test_a_body_that_is_no_object_is_refused(aws: Emulator) -> None:
    certificate = aws.issue_certificate()
    signer = Signer(certificate.certificate, certificate.private_key, region=aws.region)
    url = f"{aws.roles_anywhere_url}/sessions"
    for body in ("[]", "{", '"x"'):
        request = AWSRequest("POST", url, data=body)
        signer.add_auth(request)
        assert post(aws, request)[:2] == (400, "ValidationException")


def test_a_signature_for_another_service_or_time_is_refused(aws: Emulator) -> None:
    certificate = aws.issue_certificate()
    request = request_for(aws, certificate, service="iotsitewise")
    status, code, body = post(aws, request)
    assert (status, code) == (403, "InvalidSignatureException")
    assert "service: 'rolesanywhere'" in body["message"]
    aws.clock_offset = 400
    status, code, body = create_session(aws, certificate)
    assert (status, code) == (403, "InvalidSignatureException")
    assert body["message"].startswith("Signature expired: ")


@pytest.mark.parametrize(
    ("members", "status", "code", "words"),
    [
        ({"durationSeconds": 899}, 400, "ValidationException", "equal to 900"),
        ({"durationSeconds": 43201}, 400, "ValidationException", "equal to 43200"),
        ({"durationSeconds": "1h"}, 400, "ValidationException", "integer"),
        ({"roleArn": None}, 400, "ValidationException", "null at 'roleArn'"),
        ({"roleArn": "arn:x"}, 403, "AccessDeniedException", "role for arn:x"),
        ({"profileArn": "arn:x"}, 404, "ResourceNotFoundException", "Profile"),
        ({"trustAnchorArn": "arn:x"}, 404, "ResourceNotFoundException", "anchor"),
        (
            {"roleSessionName": "tap"},
            403,
            "AccessDeniedException",
            "Not authorized to set roleSessionName.",
        ),
    ],
)
def test_a_wrong_member_is_refused(
    aws: Emulator,
    members: dict[str, Any],
    status: int,
    code: str,
    words: str,
) -> None:
    answer = create_session(aws, aws.issue_certificate(), **members)
    assert answer[:2] == (status, code)
    assert words in answer[2]["message"]


def test_a_session_name_is_used_where_the_profile_accepts_one(aws: Emulator) -> None:
    aws.session_rules.accept_role_session_name = True
    status, _, answer = create_session(
        aws, aws.issue_certificate(), roleSessionName="nightly"
    )
    assert status == 201
    assert answer["credentialSet"][0]["assumedRoleUser"]["arn"].endswith("/nightly")


def test_a_duration_above_the_roles_is_refused_above_the_profiles_cut(
    aws: Emulator,
) -> None:
    certificate = aws.issue_certificate()
    aws.session_rules.role_maximum = 3600
    status, _, body = create_session(aws, certificate, durationSeconds=7200)
    assert status == 400
    assert "MaxSessionDuration" in body["message"]
    aws.session_rules.profile_maximum = 900
    status, _, answer = create_session(aws, certificate, durationSeconds=7200)
    assert status == 201
    expiration = answer["credentialSet"][0]["credentials"]["expiration"]
    left = datetime.fromisoformat(expiration.replace("Z", "+00:00")) - datetime.now(
        timezone.utc,
    )
    assert left < timedelta(seconds=901)


def test_create_session_fails_on_demand(aws: Emulator) -> None:
    certificate = aws.issue_certificate()
    aws.faults.fail_next("CreateSession", Fault.UNAVAILABLE)
    aws.faults.fail_next("CreateSession", Fault.THROTTLE)
    aws.faults.fail_next("CreateSession", Fault.DROP)
    assert create_session(aws, certificate)[:2] == (503, "ServiceUnavailableException")
    assert create_session(aws, certificate)[:2] == (429, "ThrottlingException")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        create_session(aws, certificate)
    assert create_session(aws, certificate)[0] == 201


def test_an_unknown_path_is_refused(aws: Emulator) -> None:
    request = request_for(aws, aws.issue_certificate())
    answer = post(aws, request, path="/profiles")
    assert answer[:2] == (404, "UnknownOperationException")


def test_a_trust_anchor_can_be_replaced_by_ones_own() -> None:
    own = Authority.root("Our own CA")
    with Emulator() as aws:
        certificate = own.client()
        assert create_session(aws, certificate)[0] == 403
        aws.trust_authority(own.certificate.public_bytes(Encoding.PEM))
        assert create_session(aws, certificate)[0] == 201


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_a_certificate_is_written_in_every_form(
    aws: Emulator,
    key: KeyKind,
    tmp_path: Path,
) -> None:
    certificate = aws.issue_certificate(key=key, intermediate=True)
    files = certificate.write(tmp_path / "new", passphrase="open sesame")  # noqa: S106
    assert files.chain is not None
    public = certificate.key.public_key()
    loaded = load_pem_private_key(files.private_key.read_bytes(), None)
    assert loaded.public_key() == public
    encrypted = files.encrypted_private_key.read_bytes()
    assert load_pem_private_key(encrypted, b"open sesame").public_key() == public
    with pytest.raises(TypeError, match="encrypted"):
        load_pem_private_key(encrypted, None)
    old = certificate.traditional_private_key
    assert b" PRIVATE KEY-----" in old
    assert load_pem_private_key(old, None).public_key() == public
    store = pkcs12.load_pkcs12(files.pkcs12.read_bytes(), b"open sesame")
    assert store.key is not None
    assert store.cert is not None
    assert store.cert.certificate == certificate.x509_certificate
    assert [parent.certificate for parent in store.additional_certs] == list(
        certificate.parents,
    )
    bundle = x509.load_pem_x509_certificates(files.bundle.read_bytes())
    assert bundle == [certificate.x509_certificate, *certificate.parents]
    assert files.private_key.stat().st_mode & 0o077 == 0
    keyless = pkcs12.load_pkcs12(certificate.pkcs12(None, with_key=False), None)
    assert keyless.key is None
