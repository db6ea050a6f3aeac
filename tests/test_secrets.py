"""What must not be read in any output, whatever happens and however much is logged."""

from __future__ import annotations

import base64
import importlib
import json
import os
import pkgutil
import subprocess
import typing as t
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator import Answer, ApiError, Fault
from tap_iot_sitewise import settings, settings_check
from tests.answering import answering
from tests.conftest import clean_environment, static
from tests.test_auth import PASSPHRASE, Forms, anywhere

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import Run, TapCommand

DEBUG = {"TAP_IOT_SITEWISE_LOGLEVEL": "DEBUG"}
# What Meltano sets for a plugin whose log it reads.
STRUCTURED = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {"()": "singer_sdk.logging.StructuredFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "structured",
            "stream": "ext://sys.stderr",
        }
    },
    "root": {"level": "DEBUG", "handlers": ["console"]},
}


def check_hidden(run: Run, *secrets: str | None) -> None:
    """Fail if a secret stands in what a run wrote, plain or as JSON or base64."""
    written = run.output.decode() + run.log
    assert len(run.log) > 200
    for secret in secrets:
        assert secret
        for form in (
            secret,
            json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode(),
        ):
            assert form not in written


@pytest.mark.parametrize(
    "fault", [None, Fault.ACCESS_DENIED, Fault.CUT_SHORT, Fault.DROP], ids=str
)
def test_static_keys_are_in_no_output(
    tap: TapCommand, aws: Emulator, fault: Fault | None
) -> None:
    key = aws.issue_session()
    if fault:
        aws.faults.always("ListPortals", fault)
    settings = static(
        aws,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
        max_attempts=2,
    )

    run = tap(settings, environment=DEBUG)

    assert run.code == (1 if fault else 0)
    assert ("Traceback" in run.log) == bool(fault)
    check_hidden(run, key.access_key_id, key.secret_access_key, key.session_token)


def test_roles_anywhere_hides_key_passphrase_and_what_it_was_given(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(key="rsa"), tap.directory)
    encrypted = forms.encrypted_key()
    key = forms.texts()["private_key"]

    run = tap(
        anywhere(aws, **encrypted),
        environment={**DEBUG, "AWS_CA_BUNDLE": aws.ca_bundle},
    ).succeeded()

    (issued,) = aws.issued_sessions
    check_hidden(
        run,
        PASSPHRASE,
        issued.access_key_id,
        issued.secret_access_key,
        issued.session_token,
        *key.splitlines()[1:-1],
    )


def test_a_private_key_given_as_text_is_in_no_output(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(), tap.directory)
    texts = forms.texts()
    log = tap.file("log.json", STRUCTURED)

    run = tap(
        anywhere(aws, **texts),
        environment={
            **DEBUG,
            "AWS_CA_BUNDLE": aws.ca_bundle,
            "SINGER_SDK_LOG_CONFIG": str(log),
        },
    )

    assert run.code == 0
    assert '"level":"debug"' in run.log
    check_hidden(run, *texts["private_key"].splitlines()[1:-1])


def every_logger(*packages: str) -> list[str]:
    """Return a logger's name for each module of some packages."""
    names = list(packages)
    for package in packages:
        path = importlib.import_module(package).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return names


_WEB_IDENTITY = """<AssumeRoleWithWebIdentityResponse
  xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <Credentials>
      <AccessKeyId>{key.access_key_id}</AccessKeyId>
      <SecretAccessKey>{key.secret_access_key}</SecretAccessKey>
      <SessionToken>{key.session_token}</SessionToken>
      <Expiration>2999-01-01T00:00:00Z</Expiration>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


def test_a_log_configuration_that_names_each_logger_shows_no_credentials(
    tap: TapCommand, aws: Emulator
) -> None:
    key = aws.issue_session()
    identity = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwcmVzcy0xIn0.of-the-plant"
    names = every_logger("botocore", "boto3", "urllib3", "iam_rolesanywhere_session")
    everything = {
        **STRUCTURED,
        "loggers": {name: {"level": "DEBUG"} for name in names},
    }
    assert "botocore.parsers" in names
    assert "botocore.endpoint" in names
    token = tap.file("identity", identity)
    log = tap.file("log.json", everything)
    config = {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
    }

    with answering(lambda: _WEB_IDENTITY.format(key=key).encode()) as url:
        run = tap(
            config,
            environment={
                **DEBUG,
                "SINGER_SDK_LOG_CONFIG": str(log),
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Reader",
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                "AWS_ENDPOINT_URL_STS": url,
            },
        )

    assert run.code == 0, run.log
    assert run.records("portals")
    check_hidden(run, key.secret_access_key, key.session_token, identity)
    # Nor anything else of what these libraries say at DEBUG.
    levels = {
        (json.loads(line)["logger_name"].split(".")[0], json.loads(line)["level"])
        for line in run.log.splitlines()
        if line.startswith("{")
    }
    assert ("tap-iot-sitewise", "debug") in levels
    assert not {("botocore", "debug"), ("urllib3", "debug")} & levels


# A password in a URL, and how it could be cut apart by whoever parses the URL.
PASSWORD = "Gr4nite/Harbour#2?x"  # noqa: S105 - must not show
PIECES = ("Gr4nite", "Harbour")
ENCODED = quote(PASSWORD, safe="")

PROXIES = {
    "SOCKS": f"socks5://plantuser:{ENCODED}@127.0.0.1:9",
    "nobody listens": f"http://plantuser:{ENCODED}@127.0.0.1:9",
    "without scheme": f"plantuser:{ENCODED}@127.0.0.1:9",
    "not encoded": f"http://plantuser:{PASSWORD}@127.0.0.1:9",
    "not encoded, a number first": f"http://plantuser:12/{PASSWORD}@127.0.0.1:9",
    "a bad port": f"http://plantuser:{ENCODED}@127.0.0.1:port",
    "short": "socks5://bob:pw@127.0.0.1:9",
    "not ASCII": "http://plantuser:Gr4nite-Hafenkräne@127.0.0.1:9",
}


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize("case", PROXIES)
def test_the_password_of_a_proxy_is_in_no_output(
    tap: TapCommand, aws: Emulator, case: str, level: str
) -> None:
    run = tap(
        static(aws, max_attempts=2),
        environment={
            "TAP_IOT_SITEWISE_LOGLEVEL": level,
            "HTTP_PROXY": PROXIES[case],
            "HTTPS_PROXY": PROXIES[case],
            "NO_PROXY": "",
        },
    )

    assert run.code == 1
    assert len(run.errors) == 1
    assert "HTTP_PROXY" in run.errors[0] or "the proxy" in run.errors[0]
    check_hidden(run, "plantuser", PASSWORD, ENCODED, *PIECES, "bob:pw", ":pw")


@pytest.mark.parametrize("setting", ["aws_endpoint_url", "roles_anywhere_endpoint_url"])
@pytest.mark.parametrize("password", [ENCODED, PASSWORD, "pw"])
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_password_of_an_endpoint_is_in_no_output(
    tap: TapCommand, aws: Emulator, setting: str, password: str, level: str
) -> None:
    forms = Forms(aws.issue_certificate(), tap.directory)
    url = f"https://plantuser:{password}@127.0.0.1:9"

    run = tap(
        anywhere(aws, **forms.paths(), max_attempts=2, **{setting: url}),
        environment={
            "TAP_IOT_SITEWISE_LOGLEVEL": level,
            "AWS_CA_BUNDLE": aws.ca_bundle,
        },
    )

    assert run.code == 1
    assert len(run.errors) == 1
    check_hidden(run, "plantuser", PASSWORD, ENCODED, *PIECES, ":pw")


ECHOES: dict[str, t.Callable[[str], str]] = {
    "as it is": str,
    "for HTML": lambda token: token.replace("+", "&#43;").replace("/", "&#x2F;"),
    "for a URL": lambda token: quote(token, safe=""),
    "for JSON": lambda token: token.replace("/", "\\/"),
    "its beginning": lambda token: token[:40],
}


@pytest.mark.parametrize("form", ECHOES)
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_page_that_echoes_the_token_does_not_show_it(
    tap: TapCommand, aws: Emulator, form: str, level: str
) -> None:
    key = aws.issue_session()
    assert key.session_token
    echo = ECHOES[form](key.session_token)
    page = f"<html><body>X-Amz-Security-Token: {echo}</body></html>"
    aws.faults.always("ListAssetModels", Answer(403, page.encode(), "text/html"))

    run = tap(
        static(
            aws,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=key.session_token,
        ),
        environment={"TAP_IOT_SITEWISE_LOGLEVEL": level},
    )

    assert run.code == 1
    assert "X-Amz-Security-Token: ***" in run.errors[0]
    # However it is written, none of it is there.
    pieces = [key.session_token[start : start + 12] for start in range(0, 120, 12)]
    check_hidden(run, key.session_token, *pieces)


_REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>AccessDenied</Code>
<Message>Token cannot be parsed: {token}</Message></Error></ErrorResponse>"""


def test_a_token_service_that_quotes_the_web_identity_does_not_show_it(
    tap: TapCommand, aws: Emulator
) -> None:
    identity = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwcmVzcy0xIn0.of-the-plant"
    body = _REFUSED.format(token=identity).encode()

    with answering(lambda: body, status=403) as url:
        run = tap(
            {
                "aws_region": aws.region,
                "aws_endpoint_url": aws.endpoint_url,
                "auth_method": "default",
            },
            environment={
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Reader",
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(tap.file("identity", identity)),
                "AWS_ENDPOINT_URL_STS": url,
            },
        )

    assert run.error == (
        "AssumeRoleWithWebIdentity: AccessDenied: Token cannot be parsed: ***; check "
        "the role and its trust policy"
    )
    assert aws.stats.total == 0
    check_hidden(run, identity)


IDENTITY = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwcmVzcy0xIn0.of-the-plant"


def with_profile(tap: TapCommand, aws: Emulator, token_service: str, level: str) -> Run:
    """Run with a web identity that only a profile names."""
    profile = "[profile plant]\nrole_arn = arn:aws:iam::123456789012:role/Reader\n"
    profile += f"web_identity_token_file = {tap.file('identity', IDENTITY)}\n"
    return tap(
        {
            "aws_region": aws.region,
            "aws_endpoint_url": aws.endpoint_url,
            "auth_method": "default",
            "aws_profile": "plant",
        },
        environment={
            "TAP_IOT_SITEWISE_LOGLEVEL": level,
            "AWS_CONFIG_FILE": str(tap.file("aws-config", profile)),
            "AWS_ENDPOINT_URL_STS": token_service,
        },
    )


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_an_answer_of_a_token_service_that_is_cut_short_is_not_quoted(
    tap: TapCommand, aws: Emulator, level: str
) -> None:
    key = aws.issue_session()
    session_token = str(key.session_token)
    whole = _WEB_IDENTITY.format(key=key)
    cut = whole[: whole.index(session_token) + 40]

    with answering(cut.encode) as url:
        run = with_profile(tap, aws, url, level)

    assert run.code == 1
    (error,) = run.lines("ERROR")
    assert error.splitlines()[0].endswith(
        "ListAssetModels: boto3 received credentials that it cannot use "
        "(ResponseParserError); check their source: the profile, the container or "
        "instance role, or the web identity"
    )
    check_hidden(run, key.secret_access_key, session_token[:40])


def test_a_web_identity_that_only_a_profile_names_is_not_shown(
    tap: TapCommand, aws: Emulator
) -> None:
    body = _REFUSED.format(token=IDENTITY).encode()

    with answering(lambda: body, status=403) as url:
        run = with_profile(tap, aws, url, "DEBUG")

    assert "AssumeRoleWithWebIdentity: AccessDenied: " in run.log
    check_hidden(run, IDENTITY)


def test_a_proxy_in_other_bytes_than_utf_8_is_refused_like_any_other(
    tap: TapCommand, aws: Emulator
) -> None:
    # As Python has bytes of a variable that are not UTF-8.
    proxy = "http://plantuser:Gr4nite\udcff@127.0.0.1:9"

    run = tap(static(aws), environment={"HTTP_PROXY": proxy, "NO_PROXY": ""})

    assert run.error.startswith("Settings: HTTP_PROXY must be the URL")
    check_hidden(run, "plantuser", "Gr4nite")


def test_a_web_identity_that_comes_through_a_pipe_is_left_to_boto3(
    tap: TapCommand, aws: Emulator
) -> None:
    # As in a shell's <(...): whoever reads it first has it, and nobody else.
    key = aws.issue_session()
    ours, theirs = os.pipe()
    os.write(theirs, b"an identity")
    os.close(theirs)
    asked: list[bytes] = []
    config = {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
    }

    with answering(lambda: _WEB_IDENTITY.format(key=key).encode(), asked=asked) as url:
        done = subprocess.run(
            tap.arguments(config),
            env=clean_environment(
                AWS_ROLE_ARN="arn:aws:iam::123456789012:role/Reader",
                AWS_WEB_IDENTITY_TOKEN_FILE=f"/dev/fd/{ours}",
                AWS_ENDPOINT_URL_STS=url,
            ),
            pass_fds=[ours],
            capture_output=True,
            check=False,
            timeout=120,
        )
    os.close(ours)

    assert done.returncode == 0, done.stderr.decode()
    assert [b"WebIdentityToken=an+identity" in body for body in asked] == [True]


def test_what_variables_of_aws_hold_is_in_no_output(
    tap: TapCommand, aws: Emulator
) -> None:
    token = "Sup3rContainerToken"  # noqa: S105 - must not show
    endpoint = f"http://plantuser:{PASSWORD}@127.0.0.1:9"
    config = {"aws_region": aws.region, "auth_method": "default", "max_attempts": 1}
    said = f"bad token {token}".encode()

    with answering(lambda: said, status=403) as url:
        container = tap(
            {**config, "aws_endpoint_url": aws.endpoint_url},
            environment={
                **DEBUG,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
            },
        )
    odd_key = tap(
        config,
        environment={
            **DEBUG,
            "AWS_ACCESS_KEY_ID": "AKIAOFTHEPLANT\nX",
            "AWS_SECRET_ACCESS_KEY": "wholly-made-up-key",
            "AWS_ENDPOINT_URL_IOTSITEWISE": endpoint,
        },
    )

    assert "bad token ***" in container.errors[0]
    check_hidden(container, token)
    assert odd_key.code == 1
    secret = "wholly-made-up-key"  # noqa: S105 - must not show
    check_hidden(odd_key, PASSWORD, *PIECES, secret, "AKIAOFTHEPLANT")


def test_a_proxy_that_is_not_for_the_endpoint_is_of_no_interest(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(
        static(aws),
        environment={"HTTP_PROXY": PROXIES["SOCKS"], "NO_PROXY": "127.0.0.1"},
    )

    run.succeeded()


def test_the_environment_gives_nothing_away(tap: TapCommand, aws: Emulator) -> None:
    run = tap(
        None,
        "--config",
        "ENV",
        environment={
            **DEBUG,
            "TAP_IOT_SITEWISE_AWS_REGION": aws.region,
            "TAP_IOT_SITEWISE_AWS_ACCESS_KEY_ID": aws.access_key_id,
            "TAP_IOT_SITEWISE_AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
            "TAP_IOT_SITEWISE_AWS_ENDPOINT_URL": aws.endpoint_url,
        },
    ).succeeded()

    check_hidden(run, aws.access_key_id, aws.secret_access_key)


@pytest.mark.parametrize("name", settings.SECRETS)
@pytest.mark.parametrize("value", [20241231235959, ["pa55word-of-the-plant"]])
def test_a_secret_of_the_wrong_type_is_refused_without_its_value(
    tap: TapCommand, name: str, value: object
) -> None:
    run = tap(
        {"aws_region": "eu-west-1", "auth_method": "roles_anywhere", name: value},
        environment=DEBUG,
    )

    assert run.code == 1
    assert f"{name} must be text" in run.errors[0]
    check_hidden(run, "20241231235959", "pa55word-of-the-plant")


PROPERTIES = sorted(settings.SCHEMA["properties"])
SECRET = "s3cr3t-of-the-plant"  # noqa: S105 - the one that must not show


@hypothesis_settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(PROPERTIES),
        st.sampled_from(
            [
                SECRET,
                f"{SECRET}\n",
                [SECRET],
                {SECRET: SECRET},
                {"name": SECRET},
                f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
            ]
        ),
        min_size=1,
    )
)
def test_no_problem_of_the_settings_shows_a_value_that_may_be_a_secret(
    config: dict[str, t.Any],
) -> None:
    assert settings_check.problems(config, settings.SCHEMA)
    assert SECRET not in "; ".join(settings_check.problems(config, settings.SCHEMA))


def test_a_file_that_others_can_read_is_warned_of(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(), tap.directory)
    paths = forms.paths()
    tap.directory.joinpath("key.pem").chmod(0o644)
    environment = {"AWS_CA_BUNDLE": aws.ca_bundle}

    open_key = tap(anywhere(aws, **paths), environment=environment).succeeded()
    config = tap.file("open.json", static(aws))
    config.chmod(0o640)
    open_config = tap(None, "--config", str(config)).succeeded()
    closed = tap(static(aws)).succeeded()

    (warning,) = open_key.lines("WARNING")
    assert warning.startswith("private_key: other users can read")
    (warning,) = open_config.lines("WARNING")
    assert warning.startswith("--config: other users can read")
    assert not closed.lines("WARNING")


def test_an_unencrypted_endpoint_elsewhere_is_warned_of(tap: TapCommand) -> None:
    run = tap(
        {
            "aws_region": "eu-west-1",
            "aws_access_key_id": "AKIAEXAMPLE",
            "aws_secret_access_key": "example",
            # Nobody listens there; TEST-NET-1 of RFC 5737 would be asked outside.
            "aws_endpoint_url": "http://sitewise.invalid:1",
            "max_attempts": 1,
        }
    )

    assert "its name cannot be resolved" in run.error
    (warning,) = run.lines("WARNING")
    assert "requests to sitewise.invalid and its answers are not encrypted" in warning


@pytest.mark.parametrize(
    "inline",
    [
        json.dumps({"aws_secret_access_key": SECRET}),
        f"aws_secret_access_key: {SECRET}",
        f"aws_secret_access_key={SECRET}",
    ],
)
def test_settings_in_the_place_of_their_file_are_not_shown(
    tap: TapCommand, inline: str
) -> None:
    run = tap(None, "--config", inline)

    assert run.error.startswith("--config: the value is not a file name; pass the name")
    assert SECRET not in run.log


def test_a_token_of_boto3s_own_chain_is_masked_where_aws_quotes_it(
    tap: TapCommand, aws: Emulator
) -> None:
    key = aws.issue_session()
    quoted = ApiError(
        "InvalidSignatureException",
        f"The canonical string has x-amz-security-token:{key.session_token}",
        403,
    )
    aws.faults.always("ListAssetModels", quoted)

    run = tap(
        {
            "aws_region": aws.region,
            "aws_endpoint_url": aws.endpoint_url,
            "auth_method": "default",
        },
        environment={
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_SESSION_TOKEN": key.session_token or "",
        },
    )

    assert "x-amz-security-token:***" in run.error
    check_hidden(run, key.session_token)
