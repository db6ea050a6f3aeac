"""What the tap lives through, what it does not try twice, and what it gives up at."""

from __future__ import annotations

import socket
import typing as t

import pytest

from emulator import Emulator, Fault
from tests import expected
from tests.conftest import Run, static
from tests.soak import PASSING
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from emulator import Call
    from tests.conftest import TapCommand


def check_whole(run: Run, aws: Emulator) -> None:
    """Fail unless the run sent the plant, every record once."""
    run.succeeded()
    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records


def patience(fault: Fault) -> dict[str, float]:
    """Settings that end a silence soon; whatever else goes wrong ends by itself."""
    return {"request_timeout": 2} if fault is Fault.SILENCE else {}


def check_count(found: int, wanted: int, fault: Fault) -> None:
    """Fail unless there were so many requests, or retries.

    A machine that stops for longer than `patience` makes a silence of any answer.
    """
    assert found == wanted or (fault is Fault.SILENCE and found > wanted)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.value)
def test_a_passing_fault_costs_a_retry_and_no_record(
    tap: TapCommand, aws: Emulator, fault: Fault
) -> None:
    for operation in ("ListAssetModels", "ListPortals", "ListProjects"):
        aws.faults.fail_next(operation, fault, times=2, after=1)

    run = tap(static(aws, page_size=2, **patience(fault)))

    check_whole(run, aws)
    retries = sum(
        int(line.split("(")[1].split()[0])
        for line in run.lines("INFO")
        if " retries)" in line
    )
    check_count(retries, 6, fault)
    aws.stats.wait_for(lambda: aws.stats.in_flight == 0)
    check_count(sum(aws.stats.errors.values()), 6, fault)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.INTERNAL_FAILURE, "InternalFailureException"),
        (Fault.UNAVAILABLE, "ServiceUnavailable"),
        (Fault.BAD_GATEWAY, "502"),
        (Fault.THROTTLE, "ThrottlingException"),
        (Fault.DROP, "the connection to"),
        (Fault.SILENCE, "did not answer within request_timeout seconds"),
        (Fault.CUT_SHORT, "the answer was cut short"),
        (Fault.NOT_JSON, "the answer was cut short or is not a page"),
        (Fault.EMPTY_OBJECT, "is not a page of portalSummaries"),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_fault_that_stays_is_an_error_after_as_many_attempts_as_set(
    tap: TapCommand, aws: Emulator, fault: Fault, words: str
) -> None:
    aws.faults.always("ListPortals", fault)

    run = tap(static(aws, max_attempts=3, **patience(fault)))

    assert run.error.startswith("ListPortals: ")
    assert words in run.error
    assert "3 attempts" in run.error
    # The last one that was silent may still wait to be read.
    aws.stats.wait_for(lambda: aws.stats.requests.get("ListPortals", 0) >= 3)
    assert aws.stats.requests["ListPortals"] == 3
    assert not run.of("RECORD", "portals")


@pytest.mark.parametrize("attempts", [1, 2])
def test_attempts_count_the_first_one(
    tap: TapCommand, aws: Emulator, attempts: int
) -> None:
    aws.faults.always("ListAssetModels", Fault.UNAVAILABLE)

    run = tap(static(aws, max_attempts=attempts))

    assert f"{attempts} attempts" in run.error
    assert aws.stats.requests == {"ListAssetModels": attempts}


def test_an_outage_that_eight_listings_meet_takes_no_attempt_from_any(
    tap: TapCommand,
) -> None:
    # botocore 1.44 shares 500 points for retries among all requests of a client, 14
    # a retry: 35 in all. Once it does not, the override of its quota can go.
    with Emulator(asset_models=1, portals=40, projects_per_portal=2) as aws:
        for portal in aws.plant.portals:
            seen: dict[str, int] = {}

            def twice(
                call: t.Any,  # noqa: ANN401
                portal_id: str = portal["id"],
                seen: dict[str, int] = seen,
            ) -> Fault | None:
                if call.parameter("portalId") != portal_id:
                    return None
                seen["times"] = seen.get("times", 0) + 1
                return Fault.UNAVAILABLE if seen["times"] <= 3 else None

            aws.faults.before("ListProjects", twice)

        run = tap(static(aws))

        check_whole(run, aws)
        assert aws.stats.requests["ListProjects"] == 40 * 4


def test_a_quota_slows_the_run_down_and_loses_nothing(tap: TapCommand) -> None:
    with Emulator(asset_models=1, portals=60, projects_per_portal=3) as aws:
        # Twenty requests pass, and none until the run has met the quota.
        aws.faults.set_quota(0.001, burst=20)
        aws.faults.before(
            "ListProjects",
            lambda call: aws.faults.set_quota(20) if call.number == 25 else None,
        )

        run = tap(static(aws))

        check_whole(run, aws)
        assert aws.stats.errors["ThrottlingException"] > 0


def test_all_faults_together_at_random_lose_nothing(tap: TapCommand) -> None:
    shares = dict.fromkeys(PASSING, 0.03)
    with Emulator(asset_models=100, portals=8, projects_per_portal=15) as aws:
        aws.faults.at_random(shares, seed=11)

        # A busy machine adds silences of its own.
        run = tap(static(aws, page_size=5, request_timeout=1, max_attempts=30))

        check_whole(run, aws)
        assert sum(aws.stats.errors.values()) > 10


@pytest.mark.parametrize("concurrency", [1, 3, 32])
def test_the_order_is_the_same_at_any_concurrency(
    tap: TapCommand, concurrency: int
) -> None:
    with Emulator(asset_models=1, portals=40, projects_per_portal=7) as aws:
        aws.faults.at_random({Fault.UNAVAILABLE: 0.3}, seed=concurrency)
        if concurrency > 1:
            # The first portal's projects wait for the request for another's.
            aws.faults.hold = lambda: aws.stats.requests.get("ListProjects") == 1

        run = tap(static(aws, page_size=3, max_concurrency=concurrency))

        check_whole(run, aws)
        assert aws.stats.most_in_flight <= concurrency
        if concurrency > 1:
            assert aws.stats.most_in_flight > 1


REPORT_CONNECTS = """
import os, sys

def report(event, _):
    if event == "socket.connect":
        os.write(2, b"connect\\n")

sys.addaudithook(report)
"""


def test_connections_that_are_refused_for_a_moment_are_tried_again(
    tap: TapCommand,
) -> None:
    # A socket that does not listen keeps the port: others are not given it, and the
    # emulator may listen there, for both have SO_REUSEADDR (asyncio sets it).
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        aws = Emulator(port=reserved.getsockname()[1])
        # Python imports a module of this name when it starts.
        tap.file("sitecustomize.py", REPORT_CONNECTS)
        process = tap.start(
            static(aws, max_attempts=30),
            environment={"PYTHONPATH": str(tap.directory)},
        )
        assert process.stderr is not None
        log = b""
        try:
            # The second attempt shows that the first was refused.
            while log.count(b"connect\n") < 2:
                line = process.stderr.readline()
                assert line, log.decode()
                log += line
            with aws:
                output, rest = process.communicate(timeout=120)
                run = Run(process.returncode, output, (log + rest).decode())
                check_whole(run, aws)
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("operation", ["ListAssetModels", "ListPortals"])
@pytest.mark.parametrize(
    "fault", [Fault.ACCESS_DENIED, Fault.EXPIRED_TOKEN], ids=lambda fault: fault.value
)
def test_a_refusal_is_not_tried_again(
    tap: TapCommand, aws: Emulator, operation: str, fault: Fault
) -> None:
    aws.faults.always(operation, fault)

    error = tap(static(aws)).error

    assert error.startswith(f"{operation}: ")
    assert aws.stats.requests[operation] == 1


def test_a_missing_permission_is_named(tap: TapCommand, aws: Emulator) -> None:
    aws.deny("iotsitewise:ListProjects")

    error = tap(static(aws)).error

    assert "is not authorized to perform: iotsitewise:ListProjects" in error
    assert "allow iotsitewise:ListProjects in a policy of the role" in error


def test_the_first_failure_ends_the_run_at_once(tap: TapCommand) -> None:
    with Emulator(asset_models=1, portals=200, projects_per_portal=3) as aws:
        aws.faults.latency = 0.05
        denied = aws.plant.portals[20]["id"]
        aws.faults.before(
            "ListProjects",
            lambda call: (
                Fault.ACCESS_DENIED if call.parameter("portalId") == denied else None
            ),
        )

        run = tap(static(aws))

        assert "AccessDenied" in run.error
        assert aws.stats.requests["ListProjects"] < 60


def test_a_portal_that_is_deleted_during_the_run_is_a_warning(
    tap: TapCommand, aws: Emulator
) -> None:
    before = expected.records(aws.plant)
    gone = aws.plant.portals[2]["id"]
    aws.faults.before(
        "ListProjects",
        lambda _: (
            aws.plant.delete("portals", gone)
            if any(portal["id"] == gone for portal in aws.plant.portals)
            else None
        ),
    )

    run = tap(static(aws, max_concurrency=1)).succeeded()

    assert run.records("portals") == before["portals"]
    assert run.records("projects") == [
        record for record in before["projects"] if record["portal_id"] != gone
    ]
    (warning,) = run.lines("WARNING")
    assert gone in warning
    assert "was deleted during the run" in warning


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.SAME_TOKEN, "the listing does not end (the same token came twice)"),
        (
            Fault.REPEATED_PAGE,
            "the listing does not end (100 pages in a row had no new",
        ),
        (Fault.EMPTY_PAGE, "the listing does not end (100 pages in a row were empty)"),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_listing_without_an_end_is_an_error(
    tap: TapCommand, aws: Emulator, fault: Fault, words: str
) -> None:
    aws.faults.always("ListPortals", fault, after=1)

    run = tap(static(aws, page_size=2))

    assert words in run.error
    assert aws.stats.requests["ListPortals"] < 110


def test_an_empty_page_with_a_token_is_not_the_end(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.fail_next("ListPortals", Fault.EMPTY_PAGE, times=3)

    check_whole(tap(static(aws, page_size=2)), aws)


SESSION_FAULTS = [
    Fault.INTERNAL_FAILURE,
    Fault.UNAVAILABLE,
    Fault.THROTTLE,
    Fault.BAD_GATEWAY,
    Fault.DROP,
    Fault.DROP_IN_BODY,
    Fault.SILENCE,
    Fault.CUT_SHORT,
    Fault.EMPTY_OBJECT,
]


@pytest.mark.parametrize("fault", SESSION_FAULTS, ids=lambda fault: fault.value)
def test_create_session_is_tried_again(
    tap: TapCommand, aws: Emulator, fault: Fault
) -> None:
    aws.faults.fail_next("CreateSession", fault, times=3)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), **patience(fault)),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
    check_count(aws.stats.requests["CreateSession"], 4, fault)


def test_create_session_gives_up_after_as_many_attempts_as_set(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.always("CreateSession", Fault.UNAVAILABLE)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), max_attempts=3),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    assert run.error.startswith("CreateSession: ")
    assert "3 attempts" in run.error
    assert aws.stats.requests == {"CreateSession": 3}


def test_a_session_that_is_refused_is_not_asked_for_again(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(trusted=False), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths()),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    assert "trust_anchor_arn must name the trust anchor" in run.error
    assert aws.stats.requests == {"CreateSession": 1}


def test_a_renewal_that_fails_at_first_loses_nothing(
    tap: TapCommand, aws: Emulator
) -> None:
    # botocore renews what ends within ten minutes, with each request.
    aws.session_rules.session_seconds = 300
    for number, fault in enumerate((Fault.UNAVAILABLE, Fault.DROP, Fault.THROTTLE)):
        aws.faults.fail_next("CreateSession", fault, times=1, after=2 + number)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), page_size=5),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
    requests, successes = aws.stats.requests, aws.stats.successes
    assert requests["CreateSession"] == successes["CreateSession"] + 3


def test_credentials_that_die_before_their_time_are_no_loss(
    tap: TapCommand, aws: Emulator
) -> None:
    # The answer says five minutes; three times, keys are over while requests that
    # were signed with them are on their way, as after a clock was set.
    aws.session_rules.session_seconds = 300

    def expire(call: Call) -> None:
        if call.number in {2, 4, 6}:
            aws.expire_sessions()

    aws.faults.before("ListProjects", expire)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), page_size=5, max_concurrency=4),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
    assert aws.stats.errors["ExpiredTokenException"] >= 3


def test_credentials_that_aws_calls_expired_and_nobody_else_end_the_run_soon(
    tap: TapCommand, aws: Emulator
) -> None:
    # As with a clock that is wrong: by the answer, they are valid for an hour.
    aws.session_rules.session_seconds = 0
    aws.session_rules.reported_seconds = 3600
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths()), environment={"AWS_CA_BUNDLE": aws.ca_bundle}
    )

    assert run.error.startswith("ListAssetModels: ExpiredTokenException: ")
    assert "set this machine's clock" in run.error
    assert aws.stats.requests["ListAssetModels"] == 4
