"""The layout: small modules, one direction, and each workaround in its wing.

Each check looks at the package, and at a bad example, which it has to find.
"""

from __future__ import annotations

import importlib
import typing as t

import pytest
from botocore.retries.standard import MaxAttemptsChecker
from singer_sdk import Stream, Tap

from tests import layout
from tests.conftest import ROOT
from tests.layout import LIBRARIES, Module, PrivateName

MODULES = layout.read(ROOT / layout.PACKAGE)
EMULATOR = layout.read(ROOT / "emulator")
WINGS = sorted(set(LIBRARIES.values()))
TESTS = layout.tests_in(ROOT / "tests")


def module(name: str, source: str = "") -> Module:
    return Module(f"{layout.PACKAGE}.{name}", source)


def package(**sources: str) -> dict[str, Module]:
    """Modules by their names, in which two underscores stand for a dot."""
    made = [module(name.replace("__", "."), text) for name, text in sources.items()]
    return {one.name: one for one in made}


def docstring(wing: str) -> str:
    text = importlib.import_module(f"{layout.PACKAGE}.{wing}").__doc__
    assert text
    return text


def names_in(*wings: str) -> set[PrivateName]:
    """The private names that modules use: those of a wing, or all if none is given."""
    return {
        name
        for one in MODULES.values()
        if one.part in wings or not wings
        for name in layout.private_names(one)
    }


# Size and names


@pytest.mark.parametrize("name", [*MODULES, *EMULATOR])
def test_a_module_is_small_and_its_name_says_what_is_in_it(name: str) -> None:
    assert list(layout.unwieldy({**MODULES, **EMULATOR}[name])) == []


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (module("long", "x = 1\n" * 301), "tap_iot_sitewise.long has 301 lines"),
        (module("singer.utils"), "the name utils does not say"),
        (module("_base"), "the name _base does not say"),
    ],
)
def test_a_long_module_and_an_empty_name_are_found(bad: Module, found: str) -> None:
    (problem,) = layout.unwieldy(bad)

    assert found in problem


# Imports


@pytest.mark.parametrize("modules", [MODULES, EMULATOR], ids=["tap", "emulator"])
def test_no_imports_go_round_in_a_circle(modules: dict[str, Module]) -> None:
    assert sum(map(len, layout.imports(modules).values())) > len(modules)
    assert list(layout.circles(modules)) == []


@pytest.mark.parametrize(
    "way_back",
    [
        "import tap_iot_sitewise.tap",
        "from tap_iot_sitewise import tap",
        "from tap_iot_sitewise.tap import Tap",
        "from .tap import Tap",
        "from . import tap",
        "def late():\n    from tap_iot_sitewise import tap",
        "if t.TYPE_CHECKING:\n    from tap_iot_sitewise.tap import Tap",
    ],
)
def test_a_circle_is_found(way_back: str) -> None:
    bad = package(
        tap="from tap_iot_sitewise.state import x",
        state="from tap_iot_sitewise import dates",
        dates=way_back,
    )

    (circle,) = layout.circles(bad)

    assert sorted(set(circle.split(" imports "))) == sorted(bad)


def test_imports_go_one_way() -> None:
    assert list(layout.wrong_way(MODULES)) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("errors", "singer.stream"),
        ("singer.stream", "aws.client"),
        ("aws.client", "singer.stream"),
        ("aws.client", "streams.request"),
        ("streams.request", "catalog"),
        ("catalog", "state"),
        ("state", "command_line"),
        ("command_line", "tap"),
        ("tap", "__main__"),
    ],
)
def test_an_import_up_or_across_is_found(importer: str, imported: str) -> None:
    names = [f"{layout.PACKAGE}.{name}" for name in (importer, imported)]
    bad = {
        names[0]: Module(names[0], f"def late():\n    import {names[1]}"),
        names[1]: Module(names[1], ""),
    }

    assert list(layout.wrong_way(bad)) == [f"{names[0]} imports {names[1]}"]


def test_a_module_without_a_place_is_found() -> None:
    bad = package(odds_and_ends="")

    assert list(layout.wrong_way(bad)) == [
        "tap_iot_sitewise.odds_and_ends has no place in LAYERS"
    ]


# Words


@pytest.mark.parametrize("name", [n for n, m in MODULES.items() if m.part in WINGS])
def test_a_wing_knows_nothing_of_the_other_side(name: str) -> None:
    assert list(layout.foreign_words(MODULES[name])) == []


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("singer.stream", "# Nobody should wait while this waits for AWS."),
        ("singer.stream", "class SiteWiseStream(Stream):"),
        ("singer.stream", "import boto3"),
        ("singer.stream", "portals = []"),
        ("singer.stream", 'name = "list_asset_models"'),
        ("aws.client", "from singer_sdk import Tap"),
    ],
)
def test_a_foreign_word_is_found(part: str, line: str) -> None:
    bad = module(part, f"from tap_iot_sitewise.errors import TapError\n{line}\n")

    (problem,) = layout.foreign_words(bad)

    assert "line 2" in problem


# Workarounds


def test_private_names_of_libraries_are_used_in_the_wings_only() -> None:
    assert list(layout.outside_of_wings(names_in())) == []


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_lists_the_private_names_that_it_uses_and_no_others(wing: str) -> None:
    used, text = names_in(wing), docstring(wing)

    assert used
    assert list(layout.not_listed(used, text)) == []
    assert list(layout.not_used(used, text)) == []


@pytest.mark.parametrize("wing", WINGS)
def test_each_entry_of_a_wing_names_a_test_that_is_there(wing: str) -> None:
    assert list(layout.without_test(docstring(wing), TESTS)) == []


class BadStream(Stream):
    """Replaces a private method of the SDK, and uses what it keeps."""

    def _write_state_message(self) -> None:
        self._tap.write_message(super()._get_state_partition_context(None))

    def get_records(self, context: t.Any) -> list[t.Any]:  # noqa: ANN401
        del context
        self._own = self._logger
        return []


class BadTap(Tap):
    """Replaces a private property of the SDK."""

    @classmethod
    def prefix(cls) -> str:
        return f"{cls._env_var_prefix}{cls._get_package_version('x')}"


class BadChecker(MaxAttemptsChecker):  # type: ignore[misc]  # botocore is untyped
    """Uses what botocore keeps."""

    def attempts(self) -> object:
        return self._max_attempts


@pytest.mark.parametrize(
    ("bad", "names", "wing"),
    [
        (
            BadStream,
            {
                "_write_state_message",
                "_tap",
                "_get_state_partition_context",
                "_logger",
            },
            "singer",
        ),
        (BadTap, {"_env_var_prefix", "_get_package_version"}, "singer"),
        (BadChecker, {"_max_attempts"}, "aws"),
    ],
)
def test_a_private_name_of_a_base_class_is_found(
    bad: type, names: set[str], wing: str
) -> None:
    outside = module("streams.bad")
    other_wing = module("aws.bad" if wing == "singer" else "singer.bad")

    found = layout.private_names(outside, [bad])

    assert {name.name for name in found} == names
    assert {name.wing for name in found} == {wing}
    assert len(list(layout.outside_of_wings(found))) == len(names)
    for place, is_right in ((other_wing, False), (module(f"{wing}.bad"), True)):
        moved = layout.private_names(place, [bad])
        assert (list(layout.outside_of_wings(moved)) == []) is is_right


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("tap._state_writer", "_state_writer"),
        ("self.tap._state_writer = None", "_state_writer"),
        ("super().credentials()._refresh_using", "_refresh_using"),
        ("getattr(tap, '_state')", "_state"),
        ("from singer_sdk.helpers._batch import BatchConfig", "._batch"),
        ("from singer_sdk.helpers import _batch", "._batch"),
        ("import singer_sdk.helpers._batch as files", "._batch"),
        ("from botocore.endpoint import _send", "botocore.endpoint._send"),
    ],
)
def test_a_private_name_of_something_else_is_found(line: str, name: str) -> None:
    outside = module("streams.bad", f"def late():\n    {line}")

    (problem,) = layout.outside_of_wings(layout.private_names(outside, []))

    assert problem.endswith(name)


@pytest.mark.parametrize(
    "line",
    [
        "import atexit\natexit._run_exitfuncs()",
        "self._own",
        "from __future__ import annotations",
        "self.__class__",
        "import singer_sdk.typing",
    ],
)
def test_a_name_that_is_not_a_librarys_private_name_is_left_alone(line: str) -> None:
    assert not layout.private_names(module("streams.good", line), [])


ENTRIES = """A wing.

``Stream._tap``
``singer_sdk.helpers._batch``
    The SDK does this, see ``Stream._not_a_term``.
    ``test_that_is_there``

``Stream._gone``
    Nobody uses it.
    ``test_that_is_there``, ``test_that_is_not_there``
``Stream.log``
    No test is named.
"""


def test_a_docstring_that_lacks_a_name_or_a_test_is_found() -> None:
    wing = module("singer.bad")
    names = ["_tap", "singer_sdk.helpers._batch", "_not_a_term"]
    used = [PrivateName(name, wing, "singer") for name in names]

    assert list(layout.not_listed(used, ENTRIES)) == [
        "_not_a_term, used by tap_iot_sitewise.singer.bad, is not listed"
    ]
    assert list(layout.not_used(used, ENTRIES)) == [
        "Stream._gone is listed, and not used"
    ]
    assert list(layout.without_test(ENTRIES, {"test_that_is_there"})) == [
        "there is no test_that_is_not_there",
        "``Stream.log``: no test is named",
    ]
    assert list(layout.without_test("Nothing.", set())) == ["no entry"]
