"""Settings that will not do: what is said of them, and when."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from singer_sdk.batch import Batcher
from singer_sdk.helpers._batch import BatchConfig

from emulator import ApiError
from tap_iot_sitewise.errors import SettingsError
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests import expected
from tests.conftest import Run, clean_environment, static
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from emulator import Emulator
    from tests.conftest import TapCommand

PREFIX = "TAP_IOT_SITEWISE_"
DEBUG = {f"{PREFIX}LOGLEVEL": "DEBUG"}


def variables(aws: Emulator, **more: str) -> dict[str, str]:
    """Return the settings of an account, and more, as variables."""
    settings = {name.upper(): str(value) for name, value in static(aws).items()}
    return {f"{PREFIX}{name}": value for name, value in {**settings, **more}.items()}


# Unknown settings


def test_a_setting_that_does_not_exist_is_warned_of_with_the_closest_name(
    tap: TapCommand, aws: Emulator
) -> None:
    unknown = {"page_sise": "hunter-22", "AccessKey": "hunter-22", "zzz": "hunter-22"}

    run = tap(static(aws, **unknown), environment=DEBUG).succeeded()

    assert run.lines("WARNING") == [
        "AccessKey is not a setting; did you mean aws_access_key_id?",
        "page_sise is not a setting; did you mean page_size?",
        "zzz is not a setting; remove it",
    ]
    assert "hunter-22" not in run.log


def test_the_closest_name_is_there_where_the_right_one_is_missing(
    tap: TapCommand, aws: Emulator
) -> None:
    run = tap(static(aws, aws_region=None, aws_regoin=aws.region))

    assert "aws_region is missing" in run.error
    assert run.lines("WARNING") == [
        "aws_regoin is not a setting; did you mean aws_region?"
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIAIOSFODNNEXAMPLEK",
        "ASIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key: hunter-22",
        "correct horse battery staple",
        "x" * 500,
    ],
)
def test_a_secret_in_the_place_of_a_name_is_not_shown(
    tap: TapCommand, aws: Emulator, secret: str
) -> None:
    run = tap(static(aws, **{secret: "x"}), environment=DEBUG).succeeded()

    (warning,) = run.lines("WARNING")
    assert warning.startswith(f"a name of {len(secret)} characters is not a setting; ")
    assert secret not in run.log
    assert "hunter-22" not in run.log


def test_many_settings_that_do_not_exist_are_counted(
    tap: TapCommand, aws: Emulator
) -> None:
    letters = "abcdefghijklm"

    run = tap(static(aws, **{f"{a}{a}{a}{a}": 1 for a in letters})).succeeded()

    assert len(run.lines("WARNING")) == 11
    assert run.lines("WARNING")[-1] == "3 more settings do not exist; remove them"


def test_a_variable_that_is_not_a_setting_is_warned_of(
    tap: TapCommand, aws: Emulator
) -> None:
    environment = variables(
        aws,
        PAGE_SISE="hunter-22",
        LOGLEVEL="DEBUG",
        # What Meltano sets for a plugin.
        _SELECT='["*.*"]',
        _LOAD_SCHEMA="plant",
        BATCH_CONFIG_STORAGE_PREFIX="x",
    )

    run = tap(None, "--config", "ENV", environment=environment).succeeded()
    # Without "--config ENV" nobody reads them.
    other = tap(static(aws), environment=environment).succeeded()

    assert run.lines("WARNING") == [
        "page_sise is not a setting; did you mean page_size?"
    ]
    assert "hunter-22" not in run.log
    assert not other.lines("WARNING")


# Lists in variables


@pytest.mark.parametrize(
    "text",
    ["COMPONENT_MODEL, INTERFACE", '["COMPONENT_MODEL", "INTERFACE"]', " INTERFACE,,"],
)
def test_a_list_in_a_variable_is_json_or_separated_by_commas(
    tap: TapCommand, aws: Emulator, text: str
) -> None:
    environment = variables(aws, ASSET_MODEL_TYPES=text)

    run = tap(None, "--config", "ENV", environment=environment).succeeded()

    wanted = [kind for kind in ("COMPONENT_MODEL", "INTERFACE") if kind in text]
    assert run.records("asset_models") == [
        record
        for record in expected.records(aws.plant)["asset_models"]
        if record["asset_model_type"] in wanted
    ]
    assert not run.lines("WARNING")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ASSET_MODEL; INTERFACE", "asset_model_types must be one of ASSET_MODEL, "),
        ('["ASSET_MODEL"', "asset_model_types must be a list"),
        ('{"ASSET_MODEL": 1}', "asset_model_types must be a list"),
    ],
)
def test_a_variable_that_is_not_a_list_is_named(
    tap: TapCommand, aws: Emulator, text: str, words: str
) -> None:
    environment = variables(aws, ASSET_MODEL_TYPES=text)

    run = tap(None, "--config", "ENV", environment=environment)

    assert words in run.error
    assert aws.stats.total == 0


# Batches, flattening, faker

ENCODING = {"format": "jsonl", "compression": "gzip"}
STORAGE = {"root": "file:///tmp"}


def batches(**config: object) -> dict[str, t.Any]:
    return {"batch_config": {"encoding": ENCODING, "storage": STORAGE, **config}}


REFUSED: dict[str, tuple[dict[str, t.Any], str]] = {
    "no encoding": (
        {"batch_config": {"storage": STORAGE}},
        "batch_config.encoding is missing; set its format to jsonl or parquet",
    ),
    "no storage": (
        {"batch_config": {"encoding": ENCODING}},
        "batch_config.storage is missing; set its root to a directory or a URL",
    ),
    "no format": (
        batches(encoding={"compression": "gzip"}),
        "batch_config.encoding.format is missing; use jsonl or parquet",
    ),
    "an unknown format": (
        batches(encoding={"format": "csv"}),
        "batch_config.encoding.format must be one of jsonl, parquet",
    ),
    "an unknown compression": (
        batches(encoding={"format": "jsonl", "compression": "zip"}),
        "batch_config.encoding.compression must be one of gzip, none",
    ),
    "text in the place of the encoding": (
        batches(encoding="jsonl"),
        "batch_config.encoding must be an object",
    ),
    "parquet without its package": (
        batches(encoding={"format": "parquet"}),
        (
            "batch_config.encoding.format parquet needs the package pyarrow; "
            "install the tap with its extra [parquet]"
        ),
    ),
    "S3 without its package": (
        batches(storage={"root": "s3://plant/batches"}),
        (
            "batch_config.storage.root s3:// needs a package that is not installed; "
            "install the tap with its extra [s3]"
        ),
    ),
    "another storage without its package": (
        batches(storage={"root": "gs://plant/batches"}),
        "batch_config.storage.root gs:// needs a package that is not installed; ",
    ),
    "an unknown storage": (
        batches(storage={"root": "floppy://a"}),
        "batch_config.storage.root must be a directory or a URL such as s3://",
    ),
    "no root": (
        batches(storage={"prefix": "plant-"}),
        "batch_config.storage.root is missing; set it to a directory or a URL",
    ),
    "an empty root": (
        batches(storage={"root": ""}),
        "batch_config.storage.root is missing",
    ),
    "a root that is a number": (
        batches(storage={"root": 5}),
        "batch_config.storage.root must be text",
    ),
    "a misspelled member": (
        batches(batchsize=500),
        (
            "batch_config has an unknown member; the members are encoding, "
            "storage, batch_size"
        ),
    ),
    "a misspelled member of the encoding": (
        batches(encoding={"format": "jsonl", "formats": 1}),
        "batch_config.encoding has an unknown member; the members are format, ",
    ),
    "a batch of nothing": (
        batches(batch_size=0),
        "batch_config.batch_size must be a whole number, at least 1",
    ),
    "a batch of many": (
        batches(batch_size="many"),
        "batch_config.batch_size must be a whole number, at least 1",
    ),
    "parameters that are text": (
        batches(storage={**STORAGE, "params": "key"}),
        "batch_config.storage.params must be an object",
    ),
    "a negative depth": (
        {"flattening_enabled": True, "flattening_max_depth": -1},
        "flattening_max_depth must be at least 0, not -1",
    ),
    "no room for names": (
        {
            "flattening_enabled": True,
            "flattening_max_depth": 2,
            "flattening_max_key_length": 0,
        },
        "flattening_max_key_length must be at least 1, not 0",
    ),
    "little room for names": (
        {
            "flattening_enabled": True,
            "flattening_max_depth": 2,
            "flattening_max_key_length": 6,
        },
        "flattening_enabled: Duplicate column name produced in schema: ",
    ),
    "text in the place of a depth": (
        {"flattening_enabled": True, "flattening_max_depth": "two"},
        "flattening_max_depth must be a whole number",
    ),
    "a key that is a number": (
        {"aws_access_key_id": 5},
        "aws_access_key_id must be text",
    ),
    "a locale that is a number": (
        {"faker_config": {"locale": 5}},
        "faker_config.locale must be text or a list",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_settings_of_the_sdk_are_refused_before_any_call(
    aws: Emulator, case: str
) -> None:
    settings, words = REFUSED[case]

    # Without a process for each; `test_every_mistake_...` has one.
    with pytest.raises(SettingsError) as refused:
        TapIoTSiteWise(config=static(aws, **settings))

    assert str(refused.value).startswith(f"Settings: {words}")
    assert " is missing (" not in str(refused.value)
    assert aws.stats.total == 0


def test_a_storage_that_does_not_answer_is_one_error(
    tap: TapCommand, aws: Emulator
) -> None:
    nobody = batches(storage={"root": "http://127.0.0.1:1/batches"})

    error = tap(static(aws, **nobody)).error

    assert error.startswith("batch_config: cannot write a batch file (")
    assert error.endswith("; check storage.root")


def test_a_storage_that_the_sdk_cannot_use_is_one_error(
    tap: TapCommand, aws: Emulator
) -> None:
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": "memory://plant"}}

    error = tap(static(aws, batch_config=batches)).error

    assert error == (
        "batch_config: cannot write a batch file (the Singer SDK does not support this "
        "storage); check storage.root"
    )


def test_secret_parameters_of_a_storage_are_masked_and_protected(
    tap: TapCommand, aws: Emulator
) -> None:
    secret = "correct-horse-battery"  # noqa: S105 - made up
    storage = {
        "root": f"ftp://127.0.0.1:9/{secret}",
        "params": {"client": {"Secret": secret}, "region": "region-of-the-plant"},
    }
    settings = static(
        aws, batch_config={"encoding": {"format": "jsonl"}, "storage": storage}
    )
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        settings.pop(name)
    line = tap.arguments(settings, "--config", "ENV")
    (tap.directory / "config.json").chmod(0o644)

    run = subprocess.run(
        line,
        cwd=tap.directory,
        env=clean_environment(**variables(aws, **{f"{PREFIX}LOGLEVEL": "DEBUG"})),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode == 1
    assert "batch_config: cannot write a batch file" in run.stderr
    assert secret not in run.stderr
    assert "--config: other users can read " in run.stderr


def test_the_sdk_looks_at_batch_config_at_the_first_batch() -> None:
    # singer.batches.problems
    config = {"encoding": ENCODING, "storage": STORAGE, "batch_size": 0}
    empty = Batcher("tap", "portals", BatchConfig.from_dict(config))
    unknown = {**config, "encoding": {"format": "csv"}, "batch_size": 1}

    assert list(empty.get_batches(iter([{"name": "Werk 7"}]))) == []
    with pytest.raises(TypeError):
        BatchConfig.from_dict({"encoding": ENCODING})
    with pytest.raises(TypeError):
        BatchConfig.from_dict({**config, "batchsize": 5})
    batcher = Batcher("tap", "portals", BatchConfig.from_dict(unknown))
    with pytest.raises(ValueError, match="csv"):
        list(batcher.get_batches(iter([{"name": "Werk 7"}])))


# Regions


@pytest.mark.parametrize(
    ("region", "problem"),
    [
        ("Ireland", ": 'Ireland' is not an AWS Region code; did you mean eu-west-1?"),
        (
            "Europe (Frankfurt)",
            ": 'Europe (Frankfurt)' is not an AWS Region code; did you mean eu-central",
        ),
        ("EU (Ireland)", ": 'EU (Ireland)' is not an AWS Region code; did you mean eu"),
        (
            "US East (N. Virginia)",
            ": 'US East (N. Virginia)' is not an AWS Region code; did you mean us-east",
        ),
        ("eu_west_1", ": 'eu_west_1' is not an AWS Region code; did you mean eu-west"),
        ("Europe", " is not an AWS Region code; use a code such as eu-west-1"),
        ("", " is not an AWS Region code; use a code such as eu-west-1"),
        ("correct horse", " is not an AWS Region code; use a code such as eu-west-1"),
        ("AKIAIOSFODNN7EXAMPLE", " is not an AWS Region code; use a code such as eu"),
    ],
)
def test_a_region_by_another_name_is_refused_with_the_one_that_is_meant(
    tap: TapCommand, aws: Emulator, region: str, problem: str
) -> None:
    run = tap(static(aws, aws_region=region))

    assert run.error.startswith(f"Settings: aws_region{problem}")
    assert aws.stats.total == 0


# What boto3 reads besides the settings


def chain(aws: Emulator, **settings: object) -> dict[str, t.Any]:
    return {
        "aws_region": aws.region,
        "aws_endpoint_url": aws.endpoint_url,
        "auth_method": "default",
        **settings,
    }


SECRET = "hunter-22-of-the-plant"  # noqa: S105 - the one that must not show

UNREADABLE = {
    "no section": (f"aws_secret_access_key = {SECRET}\n", "line 1 comes before any"),
    "no value": (
        f"[default]\n{SECRET}\n",
        "line 2 does not have the form name = value",
    ),
    "a name twice": (f"[default]\na = 1\na = {SECRET}\n", "line 3 repeats a name"),
    "a section twice": ("[default]\n[default]\n", "line 2 repeats a name"),
    "nested badly": (
        f"[default]\ns3 =\n  {SECRET}\n",
        "the format of the file is not valid",
    ),
    "not UTF-8": ("[default]\nregion = \udcff\n", "the file is not encoded in UTF-8"),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("method", ["static", "default"])
def test_a_shared_config_that_cannot_be_read_is_refused_before_any_call(
    tap: TapCommand, aws: Emulator, case: str, method: str
) -> None:
    text, words = UNREADABLE[case]
    path = tap.directory / "config"
    path.write_bytes(text.encode(errors="surrogateescape"))
    settings = static(aws) if method == "static" else chain(aws)

    run = tap(settings, environment={**DEBUG, "AWS_CONFIG_FILE": str(path)})

    (error,) = run.errors
    assert error.startswith(
        f"Settings: AWS_CONFIG_FILE: the shared AWS config {path} cannot be read ("
    )
    assert f"({words}" in error
    assert error.endswith("; correct the file")
    assert SECRET not in run.log
    assert aws.stats.total == 0


def test_shared_credentials_that_cannot_be_read_are_named_by_their_own_variable(
    tap: TapCommand, aws: Emulator
) -> None:
    path = tap.file("credentials", f"aws_secret_access_key = {SECRET}\n")

    run = tap(chain(aws), environment={"AWS_SHARED_CREDENTIALS_FILE": str(path)})

    assert f"Settings: AWS_SHARED_CREDENTIALS_FILE: the shared AWS config {path}" in (
        run.error
    )
    assert aws.stats.total == 0


def test_a_shared_config_in_the_home_directory_is_named_with_the_variable_to_set(
    tap: TapCommand, aws: Emulator
) -> None:
    (tap.directory / ".aws").mkdir()
    path = tap.file(".aws/config", "region = eu-west-1\n")
    environment = clean_environment(HOME=str(tap.directory))
    del environment["AWS_CONFIG_FILE"]

    done = subprocess.run(
        tap.arguments(chain(aws)), env=environment, capture_output=True, check=False
    )

    error = Run(done.returncode, done.stdout, done.stderr.decode()).error
    assert f"the shared AWS config {path} cannot be read" in error
    assert "correct the file, or set AWS_CONFIG_FILE to another file" in error


@pytest.mark.parametrize(
    "endpoint", ["http://a..b", "http://plant_gateway:8080", "http://", "plant:8080"]
)
def test_an_endpoint_without_a_host_is_named_by_its_setting_or_variable(
    tap: TapCommand, aws: Emulator, endpoint: str
) -> None:
    set_one = tap(static(aws, aws_endpoint_url=endpoint))
    without = static(aws)
    del without["aws_endpoint_url"]
    of_all = tap(without, environment={"AWS_ENDPOINT_URL": endpoint})
    of_service = tap(without, environment={"AWS_ENDPOINT_URL_IOTSITEWISE": endpoint})
    other = tap(static(aws), environment={"AWS_ENDPOINT_URL": endpoint})

    assert "aws_endpoint_url must be a URL that begins with http:" in set_one.error
    assert "AWS_ENDPOINT_URL must be a URL that begins with http:" in of_all.error
    assert "AWS_ENDPOINT_URL_IOTSITEWISE must be a URL that" in of_service.error
    assert other.succeeded().records("portals")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_DEFAULTS_MODE", "bogus"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "bogus"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "bogus"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "bogus"),
    ],
)
def test_a_variable_of_aws_that_botocore_refuses_is_named(
    tap: TapCommand, aws: Emulator, name: str, value: str
) -> None:
    run = tap(chain(aws), environment={name: value})

    assert run.error.startswith(f"{name}: ")
    assert value in run.error
    assert aws.stats.total == 0


def test_a_value_of_the_shared_config_that_botocore_refuses_is_named(
    tap: TapCommand, aws: Emulator
) -> None:
    path = tap.file("config", "[profile plant]\ndefaults_mode = bogus\n")
    settings = chain(aws, aws_profile="plant")

    run = tap(settings, environment={"AWS_CONFIG_FILE": str(path)})

    assert run.error.startswith("defaults_mode in the shared AWS config: ")


# Remedies

REMEDIES = {
    "static": {
        "UnrecognizedClientException": "check aws_access_key_id and aws_secret_access_",
        "InvalidSignatureException": "check aws_access_key_id and aws_secret_access_k",
        "ExpiredTokenException": "the temporary keys have expired: create new ones",
    },
    "default": {
        "UnrecognizedClientException": "check the credentials that boto3 finds",
        "InvalidSignatureException": "check the credentials that boto3 finds",
        "ExpiredTokenException": "the temporary keys have expired: renew the creden",
    },
    "roles_anywhere": {
        "UnrecognizedClientException": "check that the account has enabled aws_region",
        "InvalidSignatureException": "check that the account has enabled aws_region",
        "ExpiredTokenException": "the temporary keys have expired: run the tap again",
    },
}


@pytest.mark.parametrize("code", REMEDIES["static"])
@pytest.mark.parametrize("method", REMEDIES)
def test_a_remedy_fits_the_way_of_signing_in(
    tap: TapCommand, aws: Emulator, method: str, code: str
) -> None:
    aws.faults.always("ListAssetModels", ApiError(code, "No", 403))
    forms = Forms(aws.issue_certificate(), tap.directory)
    settings = {
        "static": static(aws),
        "default": chain(aws),
        "roles_anywhere": anywhere(aws, **forms.paths(), max_attempts=1),
    }
    environment = {
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "AWS_CA_BUNDLE": aws.ca_bundle,
    }

    error = tap(settings[method], environment=environment).error

    assert error.startswith(f"ListAssetModels: {code}: No; ")
    assert REMEDIES[method][code] in error
    assert ("aws_access_key_id" in error) == (method == "static" and "Exp" not in code)


# Several mistakes at once


def test_every_mistake_in_the_settings_of_the_sdk_is_named_at_once(
    tap: TapCommand, aws: Emulator
) -> None:
    settings = static(
        aws,
        stream_maps={"protals": None},
        stream_map_config="salt",
        flattening_enabled="yes",
        flattening_max_depth="deep",
        batch_config={"encoding": {"format": "csv"}},
        faker_config=["de_DE"],
    )

    error = tap(settings).error

    for words in (
        "stream_maps: protals is not a stream",
        "stream_map_config must be an object",
        "flattening_enabled must be true or false",
        "flattening_max_depth must be a whole number",
        "batch_config.encoding.format must be one of jsonl, parquet",
        "batch_config.storage is missing",
        "faker_config must be an object",
    ):
        assert words in error
    assert aws.stats.total == 0


MISTAKES: dict[str, list[t.Any]] = {
    "stream_maps": [
        {"portals": {"name": "name +"}},
        {"portals": {"name": ["name"]}},
        {"portals": {"number": "int(name)"}},
        {"portals": {"status__state": "'x'"}},
        {"*": {"__else__": None}},
        {"portals": {"status": "record"}},
        {"portals": {"__alias__": "''"}},
        [],
    ],
    "flattening_max_depth": [-1, "x", 1.5],
    "flattening_separator": ["", "_", ".", 5],
    "flattening_max_key_length": [-1, 1, "x"],
    "batch_config": [
        {"encoding": ENCODING, "storage": {"root": "/dev/null/x"}},
        {"encoding": {}, "storage": {}},
        [],
        {"storage": None, "encoding": None},
    ],
    "faker_config": [{"locale": "xx_XX"}, {"seed": [1]}, 5],
    "stream_map_config": [[], "x", {"portals": 1}],
}
PAIRS = [
    {first: one, second: two}
    for first, ones in MISTAKES.items()
    for second, twos in MISTAKES.items()
    if first < second
    for one in ones[:2]
    for two in twos[-2:]
]


@pytest.mark.parametrize(
    "settings", [PAIRS[number :: len(MISTAKES)] for number in range(len(MISTAKES))]
)
def test_no_pair_of_mistakes_is_reported_like_a_defect(
    tap: TapCommand, aws: Emulator, settings: list[dict[str, t.Any]]
) -> None:
    for pair in settings:
        run = tap(
            static(
                aws, **{"flattening_enabled": True, "flattening_max_depth": 2, **pair}
            )
        )

        if run.code:
            known = ("Settings: ", "stream_maps: ", "batch_config: ")
            assert run.error.startswith(known), pair
        else:
            assert run.states, pair
