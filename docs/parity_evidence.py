"""What the code and the tests show of an operation: its handler, its jobs, the names that sources and tests hold."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType

from matinee.control import plane
from matinee.control.kind import Kind
from matinee.control.outbox import JobKind
from matinee.errors import ApiError
from matinee.jobs.handlers import HANDLERS
from matinee.recipes import catalogue
from matinee.recipes.checks import check_solution, check_training_mode
from matinee.serving.intake import Intake
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database

_ROOT = Path(__file__).parents[1]
_SOURCES = _ROOT / "src"
#: Rooms whose code may name a member of an operation that a room answers.
_NEIGHBOURS = ("matinee.recipes", "matinee.data", "matinee.filters")
_TESTS = {"control": ("unit/control", "clients"), "serving": ("unit/serving", "clients")}
_NAMES = re.compile(r"\w+(\.\w+)*|\w+( \w+)*")
_V1 = catalogue.find("aws-user-personalization")


class NotUnderstood(Exception):
    """A condition of `parity_notes.toml` that has no meaning."""


@cache
def handlers() -> Mapping[str, str]:
    """Operation name to the module that answers it, for every handler that the server has."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        database, objects = Database("sqlite://"), LocalDisk(settings.home / "objects")
        control = plane.ControlPlane(database, objects, settings).operations()
        runtime, intake = Runtime(database, objects, settings), Intake(database, settings)
        modules = dict.fromkeys(runtime.operations(), Runtime.__module__)
        modules |= dict.fromkeys(intake.operations(), Intake.__module__)
        runtime.close()
        intake.close()
        database.close()
    return {name: function.__module__ for name, function in _functions().items() if name in control} | modules


@cache
def _functions() -> Mapping[str, FunctionType]:
    functions = [function for module in plane.MODULES for function in module.OPERATIONS]
    return {plane.operation_name(function.__name__): function for function in functions}


@dataclass(frozen=True)
class Suite:
    """The client suite's operations: those it calls, those whose valid call may be refused, what it describes."""

    called: frozenset[str]
    refused: frozenset[str]
    described: frozenset[str]


@cache
def suite() -> Suite:
    """What `tests/clients/requests.py`, which the suite is generated from, says of the operations."""
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    told = importlib.import_module("tests.clients.requests")
    described = frozenset(f"{name[0].lower()}{name[1:]}" for name in told.RESOURCES)
    return Suite(frozenset(told.REQUESTS), frozenset(getattr(told, "MAY_BE_REFUSED", ())), described)


def jobs_without_handler(operation: str) -> list[JobKind]:
    """Kinds of jobs that an operation writes and that no handler carries out."""
    function = _functions().get(operation)
    if function is None:
        return []
    source, module = inspect.getsource(function), sys.modules[function.__module__]
    named = set(re.findall(r"JobKind\.(\w+)", source))
    for helper in set(re.findall(r"\b(train|start_update)\(", source)):
        named |= set(re.findall(r"JobKind\.(\w+)", inspect.getsource(getattr(module, helper))))
    return sorted(JobKind[name] for name in named if JobKind[name] not in HANDLERS)


def holds(condition: str) -> bool:
    """Whether the code is still so. Conditions read as at the head of `parity_notes.toml`."""
    what, _, about = condition.partition(": ")
    match what.split():
        case ["no", "job"]:
            return JobKind(about) not in HANDLERS
        case ["not", "called"]:
            return not any(about in _calls(path) for path in _files(""))
        case ["not", "named", *room]:
            return not any(about in _words(path, exact=True) for path in _files(*room[1:]))
        case ["untrainable"]:
            return not catalogue.find(about).trainable
        case ["refused"]:
            return refusal(about) is not None
    raise NotUnderstood(f"parity_notes.toml: the condition {condition!r} is not understood")


#: Requests of which this version may not be capable, by the name that conditions use.
REFUSALS: Mapping[str, Callable[[], object]] = {
    "optimizationObjective": lambda: check_solution(
        _V1, {"solutionConfig": {"optimizationObjective": {"objectiveSensitivity": "LOW"}}}
    ),
    "weights": lambda: check_solution(
        catalogue.find("aws-user-personalization-v2"),
        {"solutionConfig": {"eventsConfig": {"eventParametersList": [{"weight": 0.5}, {"weight": 1.0}]}}},
    ),
    "UPDATE": lambda: check_training_mode(_V1, "UPDATE"),
}


def refusal(name: str) -> str | None:
    """The sentence in which one of `REFUSALS` is refused; None when it is not."""
    try:
        REFUSALS[name]()
    except ApiError as error:
        return error.message
    return None


@cache
def _files(room: str = "") -> tuple[Path, ...]:
    """The source files of a room, or of all rooms that carry out requests."""
    found = sorted((_SOURCES / "matinee" / room).rglob("*.py"))
    return tuple(path for path in found if room or path.relative_to(_SOURCES / "matinee").parts[0] != "project")


@cache
def named_by(module: str) -> frozenset[str]:
    """Names in strings of a module and of what it imports of its own room and of the rooms of rules."""
    room = module.rpartition(".")[0]
    seen: set[str] = set()
    waiting = [module]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith((room, *_NEIGHBOURS)):
            continue
        seen.add(name)
        loaded = importlib.import_module(name)
        path = Path(str(loaded.__file__))
        found |= _words(path, exact=True)
        found |= {kind.arn_member for kind in vars(loaded).values() if isinstance(kind, Kind)}
        waiting += _imports(path)
    return frozenset(found)


@cache
def named_in_tests(room: str) -> frozenset[str]:
    """Names in the tests of a room and of the clients."""
    paths = [path for folder in _TESTS[room] for path in sorted((_ROOT / "tests" / folder).rglob("*.py"))]
    return frozenset(word for path in paths for word in _words(path, exact=False)) | suite().described


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _words(path: Path, *, exact: bool) -> frozenset[str]:
    """Words of a file's strings and keywords, docstrings left out; `exact`: of strings that are names, no sentences."""
    tree = _tree(path)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg is not None and not exact:
            found.add(node.arg)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            text = node.value.strip()
            if not exact or _NAMES.fullmatch(text):
                found |= set(re.findall(r"\w+", text))
    return frozenset(found)


@cache
def _calls(path: Path) -> frozenset[str]:
    """Names that a file calls."""
    calls = [node.func for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
    return frozenset(
        call.id if isinstance(call, ast.Name) else call.attr
        for call in calls
        if isinstance(call, ast.Name | ast.Attribute)
    )


def _imports(path: Path) -> list[str]:
    """Modules of Matinee that a file imports."""
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("matinee"):
            module = str(node.module)
            inside = [f"{module}.{alias.name}" for alias in node.names]
            found += [name for name in inside if (_SOURCES / f"{name.replace('.', '/')}.py").is_file()] or [module]
    return found
