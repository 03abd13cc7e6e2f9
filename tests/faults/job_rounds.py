"""kill -9 of the worker during batch inference, segments, exports and deletions, round after round.

Each round gives a job to a worker, which dies in it at a point or at random; the next one takes up what is left besides
its own. Run as a script it is the long suite: `python -m tests.faults.job_rounds 20`.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.worker_process import WorkerProcess
from tests.unit.jobs.orders import (
    batch_job,
    deletion_job,
    export_job,
    put_event,
    run,
    segment_job,
    trained,
    write_lines,
)
from tests.unit.jobs.rig import GROUP, House, arn, csv_rows

from matinee.control.outbox import JobKind
from matinee.training.artifact import Artifact

#: Lines of a batch file: more than there are between two marks.
_LINES = 21_000
_EVENTS = 2_000


class Rounds(ABC):
    """One kind of job: how rounds are prepared, what a round orders, and what must be there at the end."""

    kind: ClassVar[JobKind]
    points: ClassVar[tuple[str, ...]]
    #: Seconds within which a random death comes after the job has begun.
    longest: ClassVar[float]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.house = House.build(folder / "home")

    def play(self, deaths: Sequence[str | None], chance: random.Random) -> None:
        """One death a round, at the point named or, with None, at random. Raises AssertionError for what went wrong."""
        self.prepare()
        settings = replace(self.house.settings, auto_training=False)
        jobs = []
        for number, point in enumerate(deaths):
            jobs.append(self.order(number))
            dies_at = "" if point is None else f"{self.kind.value}.{point}"
            with WorkerProcess(settings, dies_at=dies_at) as worker:
                if point is None:
                    self._await_begin(jobs[-1])
                    worker.crash(chance, self.longest)
                else:
                    worker.await_death()
            for each in range(number + 1):
                self.check_meanwhile(each)
        with self.house.worker():
            for job in jobs:
                self.house.await_end(job)
        assert [self.house.row(job).state for job in jobs] == ["DONE"] * len(jobs)
        self.check(len(deaths))
        assert list(self.house.workshop.scratch.iterdir()) == []
        self.house.database.close()

    def _await_begin(self, job: str) -> None:
        while self.house.row(job).attempts == 0:
            threading.Event().wait(0.01)

    @abstractmethod
    def prepare(self) -> None:
        """What all rounds start from."""

    @abstractmethod
    def order(self, number: int) -> str:
        """Create the job of a round; its id."""

    @abstractmethod
    def check_meanwhile(self, number: int) -> None:
        """What holds of a round's output at every moment, done or not."""

    @abstractmethod
    def check(self, rounds: int) -> None:
        """What holds when every job has ended."""


class _Files(Rounds):
    """Jobs that answer an input file: the output is that of a job that nobody disturbed, to the byte."""

    recipe: ClassVar[str]
    points = ("begun", "checked", "marked", "answered", "published", "handled", "committing", "committed")
    longest = 1.5

    def prepare(self) -> None:
        """A trained version, and the output of a job that nobody disturbed."""
        self.version = trained(self.house, self.folder, self.recipe)
        expression = "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($KIND)"
        described = {"datasetGroupArn": GROUP, "filterExpression": expression}
        self.house.add(arn("filter/seen"), "filter", None, "ACTIVE", described)
        put_event(self.house, "user3", "film3")
        for name, count in (("a", _LINES), ("b", 100)):
            write_lines(self.folder / "in" / f"{name}.json", [self.line(n) for n in range(count)])
        assert run(self.house, self.create("calm")) == "DONE"
        self.calm = {path.name: path.read_bytes() for path in (self.folder / "calm").iterdir()}
        assert sorted(self.calm) == ["_CHECK", "a.json.out", "b.json.out"]
        assert self.calm["a.json.out"].count(b"\n") == _LINES
        assert self.calm["a.json.out"].count(b'"error":null}\n') < _LINES

    @abstractmethod
    def line(self, number: int) -> Any:
        """A line of the input; some cannot be answered."""

    @abstractmethod
    def create(self, name: str) -> str:
        """Create a job of this name, which writes into the folder of this name."""

    def order(self, number: int) -> str:
        return self.create(f"round{number}")

    def check_meanwhile(self, number: int) -> None:
        for path in (self.folder / f"round{number}").glob("*.out"):
            assert path.read_bytes() == self.calm[path.name]

    def check(self, rounds: int) -> None:
        for number in range(rounds):
            folder = self.folder / f"round{number}"
            assert sorted(path.name for path in folder.iterdir()) == sorted(self.calm)
            for name, content in self.calm.items():
                assert (folder / name).read_bytes() == content


class BatchInference(_Files):
    """With a filter whose values each line brings, users of whom events were streamed, and lines that are refused."""

    kind = JobKind.BATCH_INFERENCE
    recipe = "aws-popularity-count"

    def line(self, number: int) -> Any:
        if number % 1000 == 7:
            return "not json"
        values = {"filterValues": {"KIND": '"watch"' if number % 2 else '"*"'}} if number % 500 else {}
        return {"userId": f"user{number % 97}", "line": number, **values}

    def create(self, name: str) -> str:
        source, target = f"file://{self.folder}/in/", f"file://{self.folder}/{name}/"
        return batch_job(self.house, self.version, source, target, name, filterArn=arn("filter/seen"))


class BatchSegment(_Files):
    """The users of items."""

    kind = JobKind.BATCH_SEGMENT
    recipe = "aws-item-affinity"

    def line(self, number: int) -> Any:
        return "[1" if number % 1000 == 7 else {"itemId": f"film{number % 300}", "line": number}

    def create(self, name: str) -> str:
        source, target = f"file://{self.folder}/in/", f"file://{self.folder}/{name}/"
        return segment_job(self.house, self.version, source, target, name)


class Export(Rounds):
    """Imported and streamed rows, each once; there is a whole file or none."""

    kind = JobKind.EXPORT
    points = ("begun", "streamed", "written", "published", "handled", "committing", "committed")
    longest = 0.6

    def prepare(self) -> None:
        """Rows in two parts, some of them twice, and events."""
        rows = csv_rows(3_000)
        lines = "".join(f"{user},{item},{at}\n" for user, item, at in [*rows, *rows[:500]])
        (self.folder / "rows.csv").write_text(f"USER_ID,ITEM_ID,TIMESTAMP\n{lines}")
        self.house.imported(f"file://{self.folder}/rows.csv")
        for n in range(50):
            put_event(self.house, f"visitor{n}", "film1", session=f"s{n}")
        streamed = [[f"visitor{n}", "film1", "2000000000"] for n in range(50)]
        self.rows = [[user, item, str(at)] for user, item, at in rows] + streamed

    def order(self, number: int) -> str:
        return export_job(self.house, f"file://{self.folder}/out/", "ALL", f"round{number}")

    def check_meanwhile(self, number: int) -> None:
        path = self.folder / "out" / f"round{number}.csv"
        if path.exists():
            with path.open(newline="") as file:
                assert list(csv.reader(file)) == [["USER_ID", "ITEM_ID", "TIMESTAMP"], *self.rows]

    def check(self, rounds: int) -> None:
        names = sorted(path.name for path in (self.folder / "out").iterdir())
        assert names == sorted(f"round{number}.csv" for number in range(rounds))
        for number in range(rounds):
            self.check_meanwhile(number)


class Deletion(Rounds):
    """Two users of the model and one visitor a round: gone from everywhere, each reference counted once."""

    kind = JobKind.DATA_DELETION
    points = (
        "begun",
        "read",
        "rows-erased",
        "part-stored",
        "part-swapped",
        "artifact-stored",
        "artifact-swapped",
        "handled",
        "committing",
        "committed",
    )
    longest = 0.8

    def prepare(self) -> None:
        """A trained model of the imported rows, and an event of a visitor for every round."""
        self.version = trained(self.house, self.folder, "aws-popularity-count")
        self.before, self.ordered = self.house.rows(), 0

    def _users(self, number: int) -> tuple[str, str, str]:
        return f"user{2 * number}", f"user{2 * number + 1}", f"visitor{number}"

    def order(self, number: int) -> str:
        users, self.ordered = self._users(number), number + 1
        put_event(self.house, users[-1], "film1", session=f"s{number}")
        path = self.folder / f"gone{number}.csv"
        path.write_text("\n".join(["USER_ID", *users]) + "\n")
        return deletion_job(self.house, f"file://{path}", f"round{number}")

    def check_meanwhile(self, number: int) -> None:
        """Others keep their rows, in their order, whatever is gone of those that are to go in any round so far."""
        going = {user for each in range(self.ordered) for user in self._users(each)}
        left = [row for row in self.house.rows() if row[0] not in going]
        assert left == [row for row in self.before if row[0] not in going]

    def check(self, rounds: int) -> None:
        gone = {user for number in range(rounds) for user in self._users(number)}
        assert self.house.rows() == [row for row in self.before if row[0] not in gone]
        for number in range(rounds):
            job = self.house.resource(arn(f"data-deletion-job/round{number}"))
            assert job is not None
            assert job["numDeleted"] == 1 + sum(row[0] in self._users(number) for row in self.before)
        assert self.house.stored_keys() == self.house.part_keys()
        version = self.house.resource(self.version)
        assert version is not None
        prefix = version.private["artifact"]
        assert gone.isdisjoint(Artifact.open(self.house.objects.local(prefix)).user_ids)
        assert all(stored.key.startswith(f"{prefix}/") for stored in self.house.objects.list("artifacts"))


KINDS: tuple[type[Rounds], ...] = (BatchInference, BatchSegment, Export, Deletion)


def main() -> None:
    """Rounds as many as the argument says of each kind, then a line on each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for kind in KINDS:
        chance = random.Random(6)
        deaths = [chance.choice([None, chance.choice(kind.points)]) for _ in range(count)]
        with tempfile.TemporaryDirectory() as folder:
            kind(Path(folder)).play(deaths, chance)
        at_points = sum(death is not None for death in deaths)
        sys.stdout.write(
            f"{kind.kind.value}: {count} kills, {at_points} at points, {count - at_points} at random: "
            "outputs complete, nothing twice, nothing lost\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
