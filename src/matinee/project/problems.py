"""What is wrong with a project file, each with its file, line, key and fix; all of it in one refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from matinee.errors import MatineeError


@dataclass(frozen=True)
class Place:
    """A spot in a project file: `line` counts from 1, `key` is the dotted path, `campaigns.home.minProvisionedTPS`."""

    file: str
    line: int
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}{f' {self.key}' if self.key else ''}"

    def below(self, name: str, line: int | None = None) -> Place:
        """The place of a member."""
        return Place(self.file, line or self.line, f"{self.key}.{name}" if self.key else name)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what to do."""

    place: Place
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem} {self.fix}"


class ProjectProblem(MatineeError):
    """A project file that cannot be used as it is; one line for each thing that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.place.line))
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def of(cls, place: Place, problem: str, fix: str) -> ProjectProblem:
        """A refusal for one reason."""
        return cls((Problem(place, problem, fix),))


def choose_from(given: str, known: Iterable[str]) -> str:
    """The fix for a word that is none of `known`: the likely one when there is one, else all of them."""
    words = sorted(known)
    close = {word.lower(): word for word in words}
    likely = get_close_matches(given.lower(), close, n=1, cutoff=0.6)
    likely = likely or [word for word in close if given and word.startswith(given.lower())][:1]
    if likely:
        return f"Did you mean {close[likely[0]]}?"
    return f"Known here: {', '.join(words)}." if words else "Nothing is known here."
