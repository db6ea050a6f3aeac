"""Reads how the package is laid out, and names what breaks the layout.

Each check takes what it looks at and gives its findings as texts, so that
`tests/test_layout.py` can feed it a bad example as well.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import importlib
import inspect
import re
import sys
import textwrap
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PACKAGE = "tap_iot_sitewise"

MOST_LINES = 300

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
"""Names of modules that do not say what is in them."""

LAYERS: tuple[tuple[set[str], ...], ...] = (
    # Part "" is the package itself.
    (
        {
            "",
            "errors",
            "dates",
            "settings",
            "settings_authentication",
            "settings_telemetry",
            "redaction",
            "standard_streams",
            "progress",
            "remembered",
        },
    ),
    ({"singer"}, {"aws"}),
    ({"streams"},),
    (
        {"catalog"},
        {"state"},
        {"extra_streams", "settings_check", "settings_warnings"},
    ),
    ({"command_line"},),
    ({"tap"},),
    ({"__main__"},),
)
"""Parts of the package, the lowest first. A module imports from its own group and from
lower layers, but not from another group of its layer."""

FOREIGN_WORDS = {
    "singer": re.compile(r"sitewise|boto|(?<![a-z])(aws|portal|asset)", re.IGNORECASE),
    "aws": re.compile("singer", re.IGNORECASE),
}
"""What a wing knows nothing of."""

LIBRARIES = {
    "singer_sdk": "singer",
    "boto3": "aws",
    "botocore": "aws",
    "iam_rolesanywhere_session": "aws",
}
"""Libraries with workarounds, and the wing that they belong in."""


@dataclass(frozen=True)
class Module:
    """One module: its dotted name and its source."""

    name: str
    source: str
    is_package: bool = False

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def part(self) -> str:
        """The part of the package that it belongs to, as in ``LAYERS``."""
        return (*self.name.split("."), "")[1]

    def resolve(self, node: ast.ImportFrom) -> str:
        """Return the module that a ``from`` import names, without leading dots."""
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        package = package[: len(package) - node.level + self.is_package]
        return ".".join([*package, *filter(None, [node.module])])


def read(package: Path) -> dict[str, Module]:
    """Return the modules of a package by their names."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(name, path.read_text("utf-8"), is_package)
    return found


# Size and names


def unwieldy(module: Module) -> Iterator[str]:
    """Name a module that is too long, or whose name says nothing."""
    lines = len(module.source.splitlines())
    if lines > MOST_LINES:
        yield f"{module.name} has {lines} lines, more than {MOST_LINES}"
    last = module.name.rpartition(".")[2]
    if last.strip("_") in EMPTY_NAMES:
        yield f"{module.name}: the name {last} does not say what is in it"


# Imports: those inside of functions and those for type checkers count as well


def imports(modules: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return which modules of the package each one imports."""
    return {
        name: {found for found in _imported(module, modules) if found != name}
        for name, module in modules.items()
    }


def _imported(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            origin = module.resolve(node)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                if inner in modules or origin in modules:
                    yield inner if inner in modules else origin


def circles(modules: Mapping[str, Module]) -> Iterator[str]:
    """Name a circle of imports, if there is one."""
    try:
        graphlib.TopologicalSorter(imports(modules)).prepare()
    except graphlib.CycleError as error:
        yield " imports ".join(reversed(error.args[1]))


def wrong_way(modules: Mapping[str, Module]) -> Iterator[str]:
    """Name each import that goes up, or from a wing to the other."""
    places = {
        part: (level, group)
        for level, layer in enumerate(LAYERS)
        for group in layer
        for part in group
    }
    for name, module in modules.items():
        if module.part not in places:
            yield f"{name} has no place in LAYERS"
    for name, imported in imports(modules).items():
        importer = places.get(modules[name].part)
        for other in sorted(imported):
            found = places.get(modules[other].part)
            if (
                importer
                and found
                and not (found[0] < importer[0] or found[1] is importer[1])
            ):
                yield f"{name} imports {other}"


# Words


def foreign_words(module: Module) -> Iterator[str]:
    """Name each line of a wing with a word of what the wing knows nothing of."""
    words = FOREIGN_WORDS.get(module.part)
    if words is None:
        return
    for number, line in enumerate(module.source.splitlines(), 1):
        if found := words.search(line.replace(PACKAGE, "")):
            yield f"{module.name}, line {number}: {found[0]!r}"


# Private names of libraries


@dataclass(frozen=True)
class PrivateName:
    """A private name of a library that a module uses or replaces.

    Args:
        name: A name such as ``_sync_records``, or a module with its packages.
        module: The module that uses it.
        wing: The wing that it belongs in, None where the library is not known.
    """

    name: str
    module: Module
    wing: str | None = None

    @property
    def is_in_a_wing(self) -> bool:
        part = self.module.part
        return part == self.wing if self.wing else part in LIBRARIES.values()

    def is_listed(self, docstring: str) -> bool:
        return any(_means(term, self.name) for term in _private_terms(docstring))


def private_names(
    module: Module, classes: Iterable[type] | None = None
) -> set[PrivateName]:
    """Return the private names of libraries that a module uses or replaces.

    Args:
        module: The module.
        classes: Its classes; those of the imported module if None.
    """
    if classes is None:
        classes = _classes(importlib.import_module(module.name), module.name)
    return {
        *(
            PrivateName(name, module, LIBRARIES[name.partition(".")[0]])
            for name in _private_imports(module)
        ),
        *(PrivateName(name, module) for name in _names_of_others(module)),
        *(
            PrivateName(name, module, wing)
            for found in classes
            for name, wing in _inherited(found)
        ),
    }


def _is_private(name: str) -> bool:
    # Each abstract class gets an `_abc_impl`, whoever wrote it.
    return name.startswith("_") and not name.startswith("__") and name != "_abc_impl"


def _private_imports(module: Module) -> Iterator[str]:
    """Yield private modules, and private names in others, that are imported."""
    for node in ast.walk(module.tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            private = [n for n, part in enumerate(parts, 1) if _is_private(part)]
            if parts[0] in LIBRARIES and private:
                yield ".".join(parts[: private[0]])


def _names_of_others(module: Module) -> Iterator[str]:
    """Yield the private names that are not asked of ``self``, ``cls`` or ``super()``.

    Those of the standard library are left out.
    """
    standard = {
        alias.asname or alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.partition(".")[0] in sys.stdlib_module_names
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and not _is_own(node.value):
            if not (isinstance(node.value, ast.Name) and node.value.id in standard):
                yield from filter(_is_private, [node.attr])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            asks = node.func.id in {"getattr", "setattr", "hasattr", "delattr"}
            name = node.args[1] if asks else None
            if isinstance(name, ast.Constant):
                yield from filter(_is_private, [str(name.value)])


def _is_own(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def _classes(owner: object, module: str) -> Iterator[type]:
    for found in vars(owner).values():
        if isinstance(found, type) and found.__module__ == module:
            yield found
            yield from _classes(found, module)


def _inherited(found: type) -> Iterator[tuple[str, str]]:
    """Yield private names of a library's class that a subclass uses or replaces."""
    used = {*vars(found), *(node.attr for node in _own_attributes(found))}
    for base in found.__mro__[1:]:
        wing = LIBRARIES.get(base.__module__.partition(".")[0])
        if wing is not None:
            yield from ((name, wing) for name in used & _private_names_in(base))


@functools.cache
def _private_names_in(base: type) -> set[str]:
    """Return the private attributes of a class and of its instances."""
    stored = {
        node.attr for node in _own_attributes(base) if isinstance(node.ctx, ast.Store)
    }
    return set(filter(_is_private, {*vars(base), *stored}))


@functools.cache
def _own_attributes(found: type) -> list[ast.Attribute]:
    """Return what the methods of a class ask of ``self``, ``cls`` and ``super()``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(found)))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _is_own(node.value)
    ]


def outside_of_wings(names: Iterable[PrivateName]) -> Iterator[str]:
    """Name what a module uses though it belongs in a wing."""
    for found in names:
        if not found.is_in_a_wing:
            yield f"{found.module.name} uses {found.name}"


# The wings' docstrings: entries of terms, each in double backticks at the beginning of
# a line, and below them, indented, what there is to say.


def not_listed(names: Iterable[PrivateName], docstring: str) -> Iterator[str]:
    """Name what a wing uses and its docstring does not list."""
    for found in names:
        if not found.is_listed(docstring):
            yield f"{found.name}, used by {found.module.name}, is not listed"


def not_used(names: Iterable[PrivateName], docstring: str) -> Iterator[str]:
    """Name what a wing's docstring lists and the wing does not use."""
    used = [found.name for found in names]
    for term in _private_terms(docstring):
        if not any(_means(term, name) for name in used):
            yield f"{term} is listed, and not used"


def without_test(docstring: str, tests: set[str]) -> Iterator[str]:
    """Name each entry of a docstring without a test, and each test that is not there.

    Args:
        docstring: A wing's.
        tests: Names of the tests that there are.
    """
    entries = re.findall(
        r"((?:^``.*\n)+)((?:^ +.*\n|\n(?= ))+)", docstring, re.MULTILINE
    )
    if not entries:
        yield "no entry"
    for terms, text in entries:
        named = re.findall(r"``(test_\w+)``", text)
        if not named:
            yield f"{' '.join(terms.split())}: no test is named"
        yield from (f"there is no {name}" for name in named if name not in tests)


def _means(term: str, name: str) -> bool:
    return term == name or term.endswith(f".{name}")


def _private_terms(docstring: str) -> list[str]:
    """Return the private names that a docstring lists, with their classes."""
    lines = re.findall(r"^``.*$", docstring, re.MULTILINE)
    terms = re.findall(r"``([\w.]+)``", "\n".join(lines))
    return [term for term in terms if _is_private(term.rpartition(".")[2])]


def tests_in(directory: Path) -> set[str]:
    """Return the names of all test functions below a directory."""
    return {
        node.name
        for path in directory.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
