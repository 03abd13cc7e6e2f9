"""What HPO searches: the ranges of a request, within the recipe's own, and how many trainings it may take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.errors import InvalidInput
from matinee.recipes.parameters import Value, parse_value
from matinee.recipes.recipe import Kind, Parameter, Recipe

#: Trainings of one study when the request does not say; the service does not document its own number.
DEFAULT_JOBS = 10
#: Trainings at a time, at most.
MOST_PARALLEL = 10
_LIMITS = {"maxNumberOfTrainingJobs": 40, "maxParallelTrainingJobs": MOST_PARALLEL}
_MEMBERS: Mapping[str, tuple[Kind, ...]] = {
    "integerHyperParameterRanges": (Kind.INTEGER,),
    "continuousHyperParameterRanges": (Kind.FLOAT,),
    "categoricalHyperParameterRanges": (Kind.BOOLEAN, Kind.CATEGORICAL),
}
_RANGES = "algorithmHyperParameterRanges"

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """Where one parameter is searched: from `low` to `high`, both included, or among `choices`."""

    parameter: Parameter
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Value, ...] = ()

    @property
    def name(self) -> str:
        """The parameter's name, without its stage."""
        return self.parameter.name

    @property
    def size(self) -> float:
        """How many values there are; infinite for a continuous range."""
        if self.choices:
            return len(self.choices)
        if self.parameter.kind is Kind.INTEGER:
            return int(self.high) - int(self.low) + 1
        return 1 if self.low == self.high else math.inf

    def values(self) -> tuple[Value, ...]:
        """Every value of a range of finite `size`."""
        if self.choices:
            return self.choices
        if self.parameter.kind is Kind.INTEGER:
            return tuple(range(int(self.low), int(self.high) + 1))
        return (self.low,)

    def nearest(self, value: Value) -> Value:
        """`value`, or what the range allows in its place: the nearest number, the first choice."""
        if self.choices:
            return value if value in self.choices else self.choices[0]
        number = min(max(float(value), self.low), self.high)
        return int(number) if self.parameter.kind is Kind.INTEGER else number


@dataclass(frozen=True)
class Search:
    """One study: what is searched, where it begins, how many trainings it takes and how many at a time."""

    ranges: tuple[Range, ...]
    start: Mapping[str, Value]
    jobs: int = DEFAULT_JOBS
    parallel: int = 1

    @property
    def trials(self) -> int:
        """The trainings that are worth it: no more than there are different ones."""
        return int(min(self.jobs, math.prod(one.size for one in self.ranges)))


def plan_search(recipe: Recipe, solution_config: Config) -> Search:
    """The study of a solution: `solution_config` has the wire's members.

    Without ranges every tunable parameter is searched in its own range, those aside that were given as a value. With
    ranges, only those. It begins with the given value, or the recipe's default. Raises `InvalidInput`.
    """
    config: Config = solution_config.get("hpoConfig") or {}
    given: Mapping[str, str] = solution_config.get("algorithmHyperParameters") or {}
    asked = [entry for entry in _entries(config) if _bare(entry[1].get("name", "")) in _tunable(recipe)]
    if any(True for _ in _entries(config)):
        ranges = tuple(_range(recipe, member, entry) for member, entry in asked)
    else:
        ranges = tuple(_whole(one) for one in _tunable(recipe).values() if one.name not in given)
    start = {
        one.name: one.nearest(parse_value(recipe, one.parameter, given.get(one.name, one.parameter.default)))
        for one in ranges
    }
    limits = config.get("hpoResourceConfig") or {}
    jobs = int(limits.get("maxNumberOfTrainingJobs") or DEFAULT_JOBS)
    return Search(ranges, start, jobs, int(limits.get("maxParallelTrainingJobs") or MOST_PARALLEL))


def check_hpo(config: Config, recipes: Sequence[Recipe]) -> None:
    """`hpoConfig`: the numbers of jobs, and ranges of parameters that can be tuned, within their own ranges.

    With several recipes (AutoML) a range must be one of any of them. Raises `InvalidInput` with what is allowed.
    """
    limits: Mapping[str, str] = config.get("hpoResourceConfig") or {}
    for name, most in _LIMITS.items():
        text = limits.get(name)
        if text is not None and not (text.isdecimal() and 1 <= int(text) <= most):
            raise InvalidInput(f"hpoResourceConfig.{name} is {text!r}; it must be a whole number from 1 to {most}.")
    seen: set[str] = set()
    for member, entry in _entries(config):
        name = _bare(entry.get("name", ""))
        for recipe in [one for one in recipes if name in _tunable(one)] or recipes[:1]:
            _range(recipe, member, entry)
        if name in seen:
            raise InvalidInput(f"{_RANGES}: {name} has more than one range. Give it one.")
        seen.add(name)


def with_stages(solution_config: Config, recipes: Sequence[Recipe]) -> dict[str, Any]:
    """`solutionConfig` as Describe shows it: names in HPO ranges begin with their stage, `training.bptt` (spec 1.9)."""
    config: Config = solution_config.get("hpoConfig") or {}
    ranges: Mapping[str, Sequence[Config]] = config.get(_RANGES) or {}
    if not any(ranges.values()):
        return dict(solution_config)
    stages = {name: one.stage for recipe in recipes for name, one in _tunable(recipe).items()}
    named = {
        member: [{**entry, "name": f"{stages[_bare(entry['name'])]}.{_bare(entry['name'])}"} for entry in entries]
        for member, entries in ranges.items()
    }
    return {**solution_config, "hpoConfig": {**config, _RANGES: named}}


def on_the_wire(value: Value) -> str:
    """A value as `algorithmHyperParameters` carries it: a string, booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tunable(recipe: Recipe) -> dict[str, Parameter]:
    return {one.name: one for one in recipe.parameters if one.tunable or one.hpo_only}


def _entries(config: Config) -> Iterator[tuple[str, Config]]:
    """Every range of `hpoConfig`, with the name of the list that it stands in."""
    ranges: Mapping[str, Sequence[Config]] = config.get(_RANGES) or {}
    return ((member, entry) for member in _MEMBERS for entry in ranges.get(member) or ())


def _bare(name: str) -> str:
    """A parameter's name without its stage: what Describe shows may be given again."""
    return name.rpartition(".")[2]


def _whole(parameter: Parameter) -> Range:
    """A parameter's own range."""
    if parameter.kind is Kind.BOOLEAN:
        return Range(parameter, choices=(True, False))
    if parameter.kind is Kind.CATEGORICAL:
        return Range(parameter, choices=parameter.choices)
    return Range(parameter, low=float(parameter.low or 0), high=float(parameter.high or 0))


def _range(recipe: Recipe, member: str, entry: Config) -> Range:
    """One range of a request; raises `InvalidInput` when the recipe's table does not allow it."""
    name, tunable = str(entry.get("name", "")), _tunable(recipe)
    parameter = tunable.get(_bare(name))
    if parameter is None or name not in (parameter.name, f"{parameter.stage}.{parameter.name}"):
        can = "; ".join(f"{one.name} ({one.allowed})" for one in tunable.values()) or "none"
        raise InvalidInput(f"{member}: {recipe.name} has no parameter {name!r} that can be tuned; it has {can}.")
    if parameter.kind not in _MEMBERS[member]:
        belongs = next(other for other, kinds in _MEMBERS.items() if parameter.kind in kinds)
        raise InvalidInput(f"{member}: {parameter.name} is {parameter.allowed}; give its range under {belongs}.")
    if member == "categoricalHyperParameterRanges":
        return Range(parameter, choices=_choices(recipe, parameter, member, entry))
    low, high = entry.get("minValue", parameter.low), entry.get("maxValue", parameter.high)
    if low is None or high is None or not low <= high:
        raise InvalidInput(f"{member}: the range of {parameter.name} needs a minValue not above its maxValue.")
    if (parameter.low is not None and low < parameter.low) or (parameter.high is not None and high > parameter.high):
        raise InvalidInput(f"{member}: {parameter.name} must be {parameter.allowed}; the range is {low:g} to {high:g}.")
    return Range(parameter, low=float(low), high=float(high))


def _choices(recipe: Recipe, parameter: Parameter, member: str, entry: Config) -> tuple[Value, ...]:
    """The values of a categorical range, each once."""
    values: Sequence[str] = entry.get("values") or ()
    try:
        found = tuple(dict.fromkeys(parse_value(recipe, parameter, value) for value in values))
    except InvalidInput:
        found = ()
    if not found:
        raise InvalidInput(f"{member}: the values of {parameter.name} must be {parameter.allowed}, not {list(values)}.")
    return found
