"""A role that the tap assumes after signing in, whichever way it signs in."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Answer, ApiError, Emulator, Fault
from tests import expected
from tests.conftest import Run, TapCommand
from tests.test_auth import Forms, anywhere
from tests.test_emulator_sts import CHAINING, policy, role, trust
from tests.test_secrets import DEBUG, STRUCTURED, check_hidden, every_logger

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.faults import Call, Failure

Settings = dict[str, t.Any]

OWN = "123456789012"
OTHER = "111122223333"
READER = f"arn:aws:iam::{OWN}:role/plants/PlantReader"
EXTERNAL_ID = "plant-7/reader"
USER = f"arn:aws:iam::{OTHER}:user/loader"
LOADER = {
    "Arn": USER,
    "AccessKeyId": "AKIAOTHERACCOUNT0001",
    "SecretAccessKey": "secret-of-the-loader",
}
SESSION = {
    "Arn": f"arn:aws:iam::{OTHER}:role/Loader",
    "AccessKeyId": "ASIAOTHERACCOUNT0002",
    "SecretAccessKey": "secret-of-the-session",
    "SessionToken": "token-of-the-session-which-is-a-long-one/+=",
}
POWERLESS = {
    "Arn": f"arn:aws:iam::{OTHER}:user/powerless",
    "AccessKeyId": "AKIAOTHERACCOUNT0003",
    "SecretAccessKey": "secret-of-a-user-without-policies",
}
MAY_ASSUME = policy(Action=CHAINING, Resource=f"arn:aws:iam::{OWN}:role/*")
EXTERNAL = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
# No caller but the role's session can read SiteWise.
ROLES: Settings = {
    "Roles": [
        role(
            "PlantReader",
            policy(
                Principal={
                    "AWS": [
                        *(each["Arn"] for each in (LOADER, SESSION, POWERLESS)),
                        f"arn:aws:iam::{OWN}:role/SiteWiseReader",
                    ]
                },
                # A session of Roles Anywhere has a source identity.
                Action=CHAINING,
                Condition=EXTERNAL,
            ),
            Path="/plants/",
            MaxSessionDuration=10_000,
        ),
        role("Open", trust({"AWS": [OTHER, OWN]})),
        role("Stranger", trust({"AWS": f"arn:aws:iam::{OTHER}:user/stranger"})),
        role("Powerless", trust({"AWS": OTHER}), Policies=[]),
        # Roles Anywhere signs in with this one.
        role(
            "SiteWiseReader",
            trust({"Service": "rolesanywhere.amazonaws.com"}),
            Policies=[MAY_ASSUME],
        ),
    ],
    "Callers": [
        {**LOADER, "Policies": [MAY_ASSUME]},
        {**SESSION, "Policies": [MAY_ASSUME]},
        POWERLESS,
    ],
}


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(portals=5, projects_per_portal=2, roles=ROLES) as emulator:
        assert emulator.role_arn.endswith("/SiteWiseReader")
        yield emulator


@pytest.fixture
def aws(served: Emulator) -> Iterator[Emulator]:
    """The account of the plant. Its faults end with the test."""
    served.stats.reset()
    yield served
    served.faults.clear()
    for lifetime in (served.assume_role_lifetime, served.session_rules):
        lifetime.session_seconds = None


def keys(caller: dict[str, str]) -> Settings:
    """Settings with the keys of a caller."""
    return {
        "aws_access_key_id": caller["AccessKeyId"],
        "aws_secret_access_key": caller["SecretAccessKey"],
        "aws_session_token": caller.get("SessionToken"),
    }


def variables(caller: dict[str, str]) -> dict[str, str]:
    """Environment variables with the keys of a caller."""
    return {
        "AWS_ACCESS_KEY_ID": caller["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": caller["SecretAccessKey"],
        **(
            {"AWS_SESSION_TOKEN": caller["SessionToken"]}
            if "SessionToken" in caller
            else {}
        ),
    }


def assuming(aws: Emulator, **settings: object) -> Settings:
    """Settings of a user of another account that assumes the plant's role."""
    return {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "sts_endpoint_url": aws.endpoint_url,
        "assume_role_arn": READER,
        "assume_role_external_id": EXTERNAL_ID,
        **keys(LOADER),
        **settings,
    }


def chained(aws: Emulator, tap: TapCommand, **settings: object) -> Settings:
    """Settings that sign in with Roles Anywhere, and assume the plant's role."""
    forms = Forms(aws.issue_certificate(), tap.directory)
    settings = {"sts_endpoint_url": aws.tls_endpoint_url, **settings}
    return anywhere(
        aws,
        **forms.paths(),
        assume_role_arn=READER,
        assume_role_external_id=EXTERNAL_ID,
        **settings,
    )


def check_complete(run: Run, aws: Emulator) -> None:
    """Check that all records came, each once."""
    run.succeeded()
    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records


def requests_to_sitewise(aws: Emulator) -> int:
    others = ("AssumeRole", "CreateSession")
    return sum(n for name, n in aws.stats.requests.items() if name not in others)


def remembered(aws: Emulator, operation: str = "AssumeRole") -> list[dict[str, str]]:
    """Return the list to which the parameters of each call are added."""
    calls: list[dict[str, str]] = []
    aws.faults.before(operation, lambda call: calls.append(dict(call.parameters)))
    return calls


# Ways to sign in


def _static(_: TapCommand) -> tuple[Settings, dict[str, str]]:
    return {}, {}


def _session(_: TapCommand) -> tuple[Settings, dict[str, str]]:
    return keys(SESSION), {}


def _environment(_: TapCommand) -> tuple[Settings, dict[str, str]]:
    return {"auth_method": "default"}, variables(SESSION)


def _profile(tap: TapCommand) -> tuple[Settings, dict[str, str]]:
    lines = (f"{name.lower()} = {text}" for name, text in variables(LOADER).items())
    shared = tap.file("credentials", "\n".join(["[plant]", *lines, ""]))
    settings = {"auth_method": "default", "aws_profile": "plant"}
    return settings, {"AWS_SHARED_CREDENTIALS_FILE": str(shared)}


@pytest.mark.parametrize("way", [_static, _session, _environment, _profile])
def test_boto3s_ways_to_sign_in_can_assume_a_role(
    tap: TapCommand,
    aws: Emulator,
    way: Callable[[TapCommand], tuple[Settings, dict[str, str]]],
) -> None:
    calls = remembered(aws)
    settings, environment = way(tap)

    run = tap(assuming(aws, **settings), environment=environment)

    check_complete(run, aws)
    assert calls == [
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": READER,
            "RoleSessionName": "tap-iot-sitewise",
            "DurationSeconds": "3600",
            "ExternalId": EXTERNAL_ID,
        }
    ]
    assert aws.issued_sessions[-1].principal_arn == (
        f"arn:aws:sts::{OWN}:assumed-role/PlantReader/tap-iot-sitewise"
    )


def test_roles_anywhere_can_assume_another_role_over_tls(
    tap: TapCommand, aws: Emulator
) -> None:
    calls = remembered(aws)
    settings = chained(aws, tap, session_duration=900)

    run = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle})
    # No CA of the account is known.
    refused = tap({**assuming(aws), "sts_endpoint_url": aws.tls_endpoint_url})

    check_complete(run, aws)
    (call,) = calls
    assert call["DurationSeconds"] == "900"
    # botocore renews what is valid for less than 15 minutes with each request.
    assert requests_to_sitewise(aws) > 5
    assert aws.stats.successes["CreateSession"] == 1
    assert refused.error.startswith("AssumeRole: TLS: the certificate of https://")
    assert "AWS_CA_BUNDLE" in refused.error


def test_a_role_that_does_not_let_roles_anywhere_set_the_source_identity_is_explained(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = {**chained(aws, tap), "assume_role_arn": aws.assumable_roles["Open"]}

    error = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle}).error

    assert "is not authorized to perform: sts:SetSourceIdentity on resource" in error
    assert error.endswith(
        "; allow sts:SetSourceIdentity in addition to sts:AssumeRole, in the trust "
        "policy of assume_role_arn and in a policy of this role"
    )


def test_the_settings_of_the_session_are_sent(tap: TapCommand, aws: Emulator) -> None:
    calls = remembered(aws)
    role_arn = aws.assumable_roles["Open"]
    settings = assuming(
        aws, assume_role_arn=role_arn, session_name="plant-7@cork", session_duration=900
    )
    del settings["assume_role_external_id"], settings["sts_endpoint_url"]

    run = tap(settings, environment={"AWS_ENDPOINT_URL_STS": aws.endpoint_url})

    check_complete(run, aws)
    (call,) = calls
    assert call["RoleArn"] == role_arn
    assert call["RoleSessionName"] == "plant-7@cork"
    assert call["DurationSeconds"] == "900"
    assert "ExternalId" not in call


@pytest.mark.parametrize(
    ("setting", "environment", "problem"),
    [
        (
            "http://sts.example.com",
            {},
            "sts_endpoint_url must be a URL that begins with https://",
        ),
        (
            None,
            {"AWS_ENDPOINT_URL_STS": "sts.example.com"},
            "AWS_ENDPOINT_URL_STS must be a URL that begins with https://, followed by",
        ),
        (
            None,
            {"AWS_ENDPOINT_URL": "http://sts.example.com"},
            "AWS_ENDPOINT_URL must be a URL that begins with https://, followed by a ",
        ),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_before_any_call(
    tap: TapCommand,
    aws: Emulator,
    setting: str | None,
    environment: dict[str, str],
    problem: str,
) -> None:
    settings = assuming(aws, sts_endpoint_url=setting)
    without_role = {n: v for n, v in settings.items() if not n.startswith("assume")}

    run = tap(settings, environment=environment)
    elsewhere = tap(without_role, environment=environment)

    assert problem in run.error
    if environment:
        # Without a role, the variable is of no interest.
        assert "AccessDenied" in elsewhere.error
    assert "AssumeRole" not in aws.stats.requests


# Renewal


def test_a_role_is_assumed_again_during_a_run(tap: TapCommand, aws: Emulator) -> None:
    # Both sessions are renewed with each request. From then on, AWS refuses all
    # earlier ones.
    aws.assume_role_lifetime.session_seconds = 300
    aws.session_rules.session_seconds = 300
    aws.faults.before("CreateSession", lambda _: aws.expire_sessions())
    settings = chained(aws, tap, page_size=3, max_concurrency=1)

    run = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle})

    check_complete(run, aws)
    assert aws.stats.successes["CreateSession"] > 10
    assert aws.stats.successes["AssumeRole"] > 10


def test_faults_of_a_renewal_lose_nothing(tap: TapCommand, aws: Emulator) -> None:
    aws.assume_role_lifetime.session_seconds = 300
    aws.session_rules.session_seconds = 300
    for fault in (Fault.UNAVAILABLE, Fault.DROP, Fault.CUT_SHORT, Fault.THROTTLE):
        aws.faults.fail_next("AssumeRole", fault, after=2)
    aws.faults.fail_next("CreateSession", Fault.UNAVAILABLE, after=5)
    settings = chained(aws, tap, page_size=2, max_concurrency=8)

    run = tap(settings, environment={"AWS_CA_BUNDLE": aws.ca_bundle})

    check_complete(run, aws)
    assert sum(aws.stats.errors.values()) == 5


def test_a_limit_of_requests_holds_although_each_request_assumes_the_role(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.assume_role_lifetime.session_seconds = 300
    started = time.monotonic()

    run = tap(assuming(aws, max_requests_per_second=10))

    seconds = time.monotonic() - started
    check_complete(run, aws)
    requests = requests_to_sitewise(aws)
    assert aws.stats.requests["AssumeRole"] >= requests
    assert seconds >= (requests - 1) / 10


def test_credentials_that_are_missing_are_reported_with_a_limit_too(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = assuming(aws, auth_method="default", max_requests_per_second=10)
    without_role = {n: v for n, v in settings.items() if not n.startswith("assume")}

    for given_settings in (settings, without_role):
        assert "Unable to locate credentials; with auth_method default, boto3" in (
            tap(given_settings).error
        )
    assert aws.stats.requests == {}


# Failures. The runs are concurrent, and the name of the session tells them apart.

TRANSIENT: dict[str, tuple[Failure, str]] = {
    "internal-failure": (Fault.INTERNAL_FAILURE, "InternalFailure: "),
    "unavailable": (Fault.UNAVAILABLE, "ServiceUnavailable: "),
    "bad-gateway": (Fault.BAD_GATEWAY, "HTTP 502 Bad Gateway: "),
    "empty-gateway": (Answer(503, b""), "HTTP 503 Service Unavailable: an empty "),
    "throttle": (Fault.THROTTLE, "Throttling: "),
    "drop": (Fault.DROP, "the connection to http://127.0.0.1"),
    "drop-in-body": (Fault.DROP_IN_BODY, "the "),
    "silence": (Fault.SILENCE, "http://127.0.0.1"),
    "cut-short": (Fault.CUT_SHORT, "the answer was cut short or has no valid "),
    "not-json": (Fault.NOT_JSON, "the answer was cut short or has no valid "),
    "empty-object": (Fault.EMPTY_OBJECT, "the answer was cut short or has no valid "),
    "without-keys": (
        Answer(
            200,
            b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId/>"
            b"<SecretAccessKey/><SessionToken/><Expiration>2999-01-01T00:00:00Z"
            b"</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        ),
        "the answer was cut short or has no valid ",
    ),
    "expired": (
        Answer(
            200,
            b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A"
            b"</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C"
            b"</SessionToken><Expiration>2020-01-01T00:00:00Z</Expiration>"
            b"</Credentials></AssumeRoleResult></AssumeRoleResponse>",
        ),
        "the answer was cut short or has no valid ",
    ),
}

DENIED = (
    f"AssumeRole: AccessDenied: User: {USER} is not authorized to perform: "
    "sts:AssumeRole on resource: {}; check assume_role_arn{}, that a policy of this "
    "user or role allows sts:AssumeRole, and that the trust policy of assume_role_arn "
    "names it"
)
WITHOUT_ID = ", whether the role requires an external ID"
WITH_ID = " and assume_role_external_id"
DISABLED = (
    f"STS is not activated in this region for account:{OTHER}. Your account "
    "administrator can activate STS in this region using the IAM Console."
)
REFUSED: dict[str, tuple[Settings, str]] = {
    "wrong-external-id": (
        {"assume_role_external_id": "plant-8/reader"},
        DENIED.format(READER, WITH_ID),
    ),
    "no-external-id": (
        {"assume_role_external_id": None},
        DENIED.format(READER, WITHOUT_ID),
    ),
    "unknown-role": (
        {"assume_role_arn": f"{READER}s"},
        DENIED.format(f"{READER}s", WITH_ID),
    ),
    "trusts-somebody-else": (
        {"assume_role_arn": f"arn:aws:iam::{OWN}:role/Stranger"},
        DENIED.format(f"arn:aws:iam::{OWN}:role/Stranger", WITH_ID),
    ),
    "no-policy": (
        keys(POWERLESS),
        DENIED.format(READER, WITH_ID).replace(USER, POWERLESS["Arn"]),
    ),
    "above-the-maximum": (
        {"session_duration": 10_001},
        (
            "AssumeRole: ValidationError: The requested DurationSeconds exceeds the "
            "MaxSessionDuration set for this role; lower session_duration, or raise "
            "the maximum session duration of the role"
        ),
    ),
    "chained": (
        {"session_duration": 7200, **keys(SESSION)},
        (
            "AssumeRole: ValidationError: The requested DurationSeconds exceeds the 1 "
            "hour session limit for roles assumed by role chaining; set "
            "session_duration to 3600: AWS allows one hour if a role assumes another "
            "role"
        ),
    ),
    "not-an-arn": (
        {"assume_role_arn": f"{READER}/"},
        "AssumeRole: ValidationError: Request ARN is invalid; check assume_role_arn",
    ),
    "unknown-key": (
        {"aws_access_key_id": "AKIAI44QH8DHBEXAMPLE"},
        (
            "AssumeRole: InvalidClientTokenId: The security token included in the "
            "request is invalid; AWS does not know the key: check aws_access_key_id "
            "and aws_secret_access_key, and aws_session_token for temporary keys"
        ),
    ),
    "wrong-secret": (
        {"aws_secret_access_key": "secret-of-another-user"},
        (
            "the secret key does not match the access key: check aws_access_key_id and "
            "aws_secret_access_key"
        ),
    ),
    "expired-source": (
        {},
        (
            "AssumeRole: ExpiredToken: The security token included in the request is "
            "expired; the temporary keys have expired: create new ones, or set "
            "auth_method to roles_anywhere or default, which renew them"
        ),
    ),
    "region-disabled": (
        {},
        (
            f"AssumeRole: RegionDisabledException: {DISABLED[:-1]}; activate STS for "
            "aws_region in the account settings of IAM, in the account of the "
            "credentials"
        ),
    ),
    "powerless": (
        {"assume_role_arn": f"arn:aws:iam::{OWN}:role/Powerless"},
        "allow iotsitewise:ListAssetModels in a policy of the role or user",
    ),
}
ANSWERS: dict[str, Failure] = {
    "region-disabled": ApiError("RegionDisabledException", DISABLED, 403),
    "expired-source": Fault.EXPIRED_TOKEN,
    **{name: fault for name, (fault, _) in TRANSIENT.items()},
}


class Failed(t.NamedTuple):
    run: Run
    attempts: int


@pytest.fixture(scope="module")
def failed(
    served: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Failed]:
    """The runs that AssumeRole ended."""
    called: list[str | None] = []

    def answer(call: Call) -> Failure | None:
        name = call.parameter("RoleSessionName")
        called.append(name)
        return ANSWERS.get(str(name))

    def run(name: str) -> Run:
        settings, _ = REFUSED.get(name, ({}, ""))
        config = assuming(served, max_attempts=2, session_name=name)
        if name == "silence":
            config["request_timeout"] = 2
        tap = TapCommand(tmp_path_factory.mktemp("failed"))
        return tap({**config, **settings})

    served.faults.before("AssumeRole", answer)
    try:
        # The first directory makes their parent, which two threads cannot do at once.
        tmp_path_factory.getbasetemp()
        with ThreadPoolExecutor(8) as pool:
            names = [*TRANSIENT, *REFUSED]
            runs = dict(zip(names, pool.map(run, names), strict=True))
    finally:
        served.faults.clear()
    return {name: Failed(run, called.count(name)) for name, run in runs.items()}


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_fault_of_assume_role_is_tried_again_and_then_one_error(
    failed: dict[str, Failed], name: str
) -> None:
    run, attempts = failed[name]
    _, words = TRANSIENT[name]

    assert run.error.startswith(f"AssumeRole: {words}")
    assert "even after 2 attempts" in run.error
    assert attempts == 2
    assert "max_requests_per_second" not in run.error


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_of_assume_role_says_what_to_do_and_is_not_tried_again(
    failed: dict[str, Failed], name: str
) -> None:
    run, attempts = failed[name]
    _, text = REFUSED[name]

    assert text in run.error
    assert attempts == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UnrecognizedClientException", "check that the account has enabled aws_reg"),
        ("InvalidSignatureException", "check that the account has enabled aws_region"),
        ("ExpiredTokenException", "run the tap again"),
    ],
)
def test_sitewise_refuses_the_session_and_not_the_keys_of_the_settings(
    tap: TapCommand, aws: Emulator, code: str, words: str
) -> None:
    aws.faults.always("ListAssetModels", ApiError(code, "No.", 403))

    error = tap(assuming(aws, max_attempts=1)).error

    assert error.startswith(f"ListAssetModels: {code}: No; ")
    assert words in error
    assert "aws_access_key_id" not in error


def test_an_error_of_the_source_names_the_source(
    tap: TapCommand, aws: Emulator
) -> None:
    # boto3 itself assumes a role for the profile, with keys that AWS does not know.
    shared = tap.file(
        "config",
        "[profile plant]\nrole_arn = arn:aws:iam::111122223333:role/Loader\n"
        "source_profile = user\n"
        "[profile user]\naws_access_key_id = AKIAI44QH8DHBEXAMPLE\n"
        "aws_secret_access_key = example\n",
    )
    settings = assuming(aws, auth_method="default", aws_profile="plant")
    environment = {
        "AWS_CONFIG_FILE": str(shared),
        "AWS_ENDPOINT_URL_STS": aws.endpoint_url,
    }

    unknown = tap(settings, environment=environment)
    aws.faults.always("AssumeRole", Fault.ACCESS_DENIED)
    denied = tap(settings, environment=environment)

    assert unknown.error == (
        "AssumeRole: InvalidClientTokenId: The security token included in the request "
        "is invalid; AWS does not know the key: check the credentials that boto3 "
        "finds; 'aws sts get-caller-identity' shows their owner"
    )
    assert denied.error.endswith("; check the role and its trust policy")


# Secrets

CREDENTIALS = (
    "<Credentials><AccessKeyId>ASIAQUOTEDQUOTED0001</AccessKeyId><SecretAccessKey>"
    "quoted-secret-of-the-session</SecretAccessKey><SessionToken>quoted-token-of-the-"
    "session</SessionToken></Credentials>"
)
QUOTED: dict[str, Failure | None] = {
    "whole": None,
    "cut-short": Fault.CUT_SHORT,
    "drop-in-body": Fault.DROP_IN_BODY,
    "not-xml": Answer(200, CREDENTIALS[1:].encode()),
    "no-expiration": Answer(
        200,
        f"<AssumeRoleResponse><AssumeRoleResult>{CREDENTIALS}</AssumeRoleResult>"
        "</AssumeRoleResponse>".encode(),
    ),
    "echo": Answer(
        403,
        f"<h1>Blocked</h1>X-Amz-Security-Token: {SESSION['SessionToken']} "
        f"ExternalId={EXTERNAL_ID}".encode(),
        "text/html",
    ),
    "canonical-string": ApiError(
        "SignatureDoesNotMatch",
        "The Canonical String should have been 'POST / x-amz-security-token:"
        f"{SESSION['SessionToken']}'",
        403,
    ),
}


@pytest.fixture(scope="module")
def quoting(
    served: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """Runs that log everything, with keys from a profile, which no setting names."""
    lines = [f"{name.lower()} = {text}" for name, text in variables(SESSION).items()]
    names = every_logger("botocore", "boto3", "urllib3")
    log = {**STRUCTURED, "loggers": {name: {"level": "DEBUG"} for name in names}}

    def run(name: str) -> Run:
        tap = TapCommand(tmp_path_factory.mktemp("quoting"))
        shared = tap.file("credentials", "\n".join(["[default]", *lines, ""]))
        return tap(
            assuming(served, auth_method="default", session_name=name, max_attempts=1),
            environment={
                **DEBUG,
                "SINGER_SDK_LOG_CONFIG": str(tap.file("log.json", log)),
                "AWS_SHARED_CREDENTIALS_FILE": str(shared),
            },
        )

    served.faults.before(
        "AssumeRole", lambda call: QUOTED.get(str(call.parameter("RoleSessionName")))
    )
    try:
        # The first directory makes their parent, which two threads cannot do at once.
        tmp_path_factory.getbasetemp()
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(QUOTED, pool.map(run, QUOTED), strict=True))
    finally:
        served.faults.clear()


@pytest.mark.parametrize("name", QUOTED)
def test_no_log_shows_the_external_id_or_what_sts_answers(
    served: Emulator, quoting: dict[str, Run], name: str
) -> None:
    run = quoting[name]

    assert run.code == (0 if name == "whole" else 1)
    assert '"level":"debug"' in run.log
    issued = [
        session
        for session in served.issued_sessions
        if session.principal_arn.endswith(f"/PlantReader/{name}")
    ]
    assert bool(issued) == (name in {"whole", "cut-short", "drop-in-body"})
    for session in issued:
        token = str(session.session_token)
        check_hidden(run, session.access_key_id, session.secret_access_key, token)
        check_hidden(run, token[:20])
    check_hidden(run, EXTERNAL_ID, SESSION["SecretAccessKey"], SESSION["SessionToken"])
    check_hidden(run, "ASIAQUOTED", "quoted-secret", "quoted-token")
    if name == "canonical-string":
        assert "x-amz-security-token:***" in run.log
    if name == "echo":
        assert "X-Amz-Security-Token: *** ExternalId=***" in run.log


# Any sequence of faults

FAULTS = st.sampled_from(
    [
        *[None] * 4,
        Fault.UNAVAILABLE,
        Fault.THROTTLE,
        Fault.DROP,
        Fault.CUT_SHORT,
        Fault.EXPIRED_TOKEN,
        Fault.ACCESS_DENIED,
    ]
)


@hypothesis_settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
@given(sts=st.lists(FAULTS, max_size=4), sitewise=st.lists(FAULTS, max_size=4))
def test_whatever_fails_a_run_is_complete_or_one_error(
    served: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
    sts: list[Fault | None],
    sitewise: list[Fault | None],
) -> None:
    served.assume_role_lifetime.session_seconds = 300
    tap = TapCommand(tmp_path_factory.mktemp("any"))

    def fault(call: Call) -> Failure | None:
        faults = sts if call.operation == "AssumeRole" else sitewise
        return faults.pop(0) if faults else None

    sts, sitewise = list(sts), list(sitewise)
    served.faults.before("*", fault)
    try:
        run = tap(assuming(served, page_size=4, max_attempts=3))
    finally:
        served.faults.clear()
        served.assume_role_lifetime.session_seconds = None

    if run.code == 0:
        check_complete(run, served)
    else:
        assert run.error
