"""Which data files are imported, told from the names of the jobs that were."""

from __future__ import annotations

from tests.unit.project import stage
from tests.unit.project.stage import job

from matinee.project.content import chained
from matinee.project.desired import DataFile, Wanted
from matinee.project.observed import Found
from matinee.project.plan import Action
from matinee.project.planning_imports import imports_due

DATASET = Wanted(stage.DATASET, "d", {}, stage.PLACE)
FILES = (
    DataFile("/day1.csv", {"importMode": "FULL"}, None, stage.PLACE),
    DataFile("/day2.csv", {"importMode": "INCREMENTAL"}, None, stage.PLACE),
)
ONE, TWO = chained(("a", "b"), FILES)


def due(*jobs: Found, retry: bool = False, files: tuple[DataFile, ...] = FILES) -> list[Action]:
    """Actions for the two files, with `jobs` newest first."""
    return list(imports_due(DATASET, files, (ONE, TWO)[: len(files)], jobs, retry=retry))


def names(actions: list[Action]) -> list[tuple[str, str]]:
    """Verb and job name of each."""
    return [(str(action.verb), action.name) for action in actions]


def test_all_files_are_due_when_nothing_is_imported() -> None:
    assert names(due()) == [("import", f"d-{ONE}"), ("import", f"d-{TWO}")]


def test_only_the_increment_is_due_after_the_first() -> None:
    assert names(due(job(f"d-{ONE}"))) == [("import", f"d-{TWO}")]


def test_nothing_is_due_when_all_are_there() -> None:
    assert due(job(f"d-{TWO}"), job(f"d-{ONE}")) == []


def test_a_running_import_is_waited_for_and_the_next_follows() -> None:
    assert names(due(job(f"d-{ONE}", status="CREATE IN_PROGRESS"))) == [
        ("wait", f"d-{ONE}"),
        ("import", f"d-{TWO}"),
    ]


def test_other_data_starts_over() -> None:
    assert names(due(job("d-00000000"))) == [("import", f"d-{ONE}"), ("import", f"d-{TWO}")]


def test_going_back_to_earlier_data_takes_a_name_that_is_free() -> None:
    actions = due(job("d-00000000", hour=2), job(f"d-{ONE}"), files=FILES[:1])
    assert names(actions) == [("import", f"d-{ONE}-2")]


def test_the_numbered_name_counts_as_the_same_data() -> None:
    assert due(job(f"d-{ONE}-2", hour=3), job("d-00000000", hour=2), job(f"d-{ONE}"), files=FILES[:1]) == []


def test_a_full_import_by_other_means_is_done_over() -> None:
    (action,) = due(job("by-hand", hour=2), job(f"d-{ONE}"), files=FILES[:1])
    assert "by-hand" in action.reason


def test_an_increment_by_other_means_is_left_alone() -> None:
    assert due(job("by-hand", hour=2, importMode="INCREMENTAL"), job(f"d-{ONE}"), files=FILES[:1]) == []


def test_a_failed_import_is_reported_and_repeated_on_request() -> None:
    failed = job(f"d-{ONE}", status="CREATE FAILED", failureReason="line 3")
    (blocked,) = due(failed, files=FILES[:1])
    assert "line 3" in blocked.reason
    assert "--retry" in blocked.blocked
    (again,) = due(failed, retry=True, files=FILES[:1])
    assert (again.name, again.blocked) == (f"d-{ONE}-2", "")


def test_a_failed_import_of_other_data_is_forgotten() -> None:
    assert due(job("d-00000000", hour=2, status="CREATE FAILED"), job(f"d-{ONE}"), files=FILES[:1]) == []
