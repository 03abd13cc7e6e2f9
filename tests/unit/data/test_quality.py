"""The quality report: all faults of a data set at once, each with place and fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.data.releases import release_100k
from tests.unit.data.shapes import HEADER, INTERACTIONS, ITEM, ITEMS, ITEMS_HEADER, csv_of, string, text_of

from matinee.data.csv_lines import CsvSource
from matinee.data.findings import Finding
from matinee.data.movielens import convert
from matinee.data.quality import Dataset, check_dataset, check_together
from matinee.data.schemas import Schema, parse_schema

Places = list[tuple[str, int | None, str | None, int]]
# Thirty users with two events each: nothing to report.
CLEAN = [f"u{n % 30},i{n % 7},{1000 + n},watch,{n % 5}" for n in range(60)]


def report(schema: Schema, *lines: str, minimum_rows: int = 1) -> Dataset:
    return check_dataset([CsvSource.of_bytes("data.csv", csv_of(*lines))], schema, minimum_rows=minimum_rows)


def places(dataset: Dataset) -> Places:
    return [(finding.code, finding.line, finding.column, finding.count) for finding in dataset.report.findings]


def only(dataset: Dataset) -> Finding:
    (finding,) = dataset.report.findings
    return finding


def test_clean_data_passes_without_a_word() -> None:
    dataset = report(INTERACTIONS, HEADER, *CLEAN)
    assert (places(dataset), dataset.report.passed, dataset.report.rows) == ([], True, 60)


def test_all_kinds_of_faults_come_in_one_report() -> None:
    lines = [
        HEADER,
        *CLEAN,
        "u1,i1,yesterday,watch,",  # line 62
        ",i1,5000,watch,",
        "u1,i1,5000",
        '"u1,i1,5000,watch,',
        f"u1,{'i' * 300},5000,watch,",
        "u1,i1,1700000000000,watch,",
        "u1,i1,5000,USER_ID,",
        CLEAN[0],
        "u1,i1,tomorrow,watch,",
    ]
    dataset = report(INTERACTIONS, *lines)
    assert places(dataset) == [
        ("type", 62, "TIMESTAMP", 2),
        ("null", 63, "USER_ID", 1),
        ("ragged-line", 64, None, 1),
        ("quoting", 65, None, 1),
        ("too-long", 66, "ITEM_ID", 1),
        ("millisecond-timestamp", 67, "TIMESTAMP", 1),
        ("reserved-word", 68, "EVENT_TYPE", 1),
        ("duplicate", 69, None, 1),
    ]
    assert not dataset.report.passed
    assert all(finding.fix and finding.file == "data.csv" for finding in dataset.report.findings)
    assert all(finding.example for finding in dataset.report.findings if finding.code != "null")


def test_a_missing_column_does_not_hide_the_faults_of_the_others() -> None:
    dataset = report(INTERACTIONS, "USER_ID,ITEM_ID,TIMESTAMP", "u1,,1", "u1,i1,2")
    assert [code for code, *_ in places(dataset)][:2] == ["missing-column", "null"]
    assert "[EVENT_TYPE, EVENT_VALUE]" in dataset.report.findings[0].problem


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08"])
def test_a_file_that_cannot_be_read_is_a_finding(content: bytes) -> None:
    finding = only(check_dataset([CsvSource.of_bytes("data.csv", content)], INTERACTIONS))
    assert (finding.code, finding.level, finding.file) == ("unreadable-file", "error", "data.csv")


def test_too_few_interactions_fail() -> None:
    finding = only(report(INTERACTIONS, HEADER, *CLEAN, minimum_rows=1000))
    assert (finding.level, finding.code) == ("error", "too-few-interactions")
    assert "60 interactions" in finding.problem


def test_too_few_users_with_two_interactions_fail() -> None:
    finding = only(report(INTERACTIONS, HEADER, *(f"u{n},i1,{n},watch,{n % 5}" for n in range(60))))
    assert (finding.level, finding.code, finding.column) == ("error", "too-few-users", "USER_ID")
    assert "fewer than 25 users with at least 2 interactions" in finding.problem


def test_equal_times_fail() -> None:
    finding = only(report(INTERACTIONS, HEADER, *(f"u{n % 30},i{n},77,watch,{n % 5}" for n in range(60))))
    assert (finding.level, finding.code, finding.example) == ("error", "constant-timestamp", "77")


def test_more_than_ten_event_types_fail_at_the_eleventh() -> None:
    lines = [f"u{n % 30},i1,{n},type{n % 11},{n % 5}" for n in range(60)]
    finding = only(report(INTERACTIONS, HEADER, *lines, "u1,i1,900,TYPE1,"))
    assert (finding.level, finding.code, finding.line, finding.example) == (
        "error",
        "too-many-event-types",
        12,
        "type10",
    )
    assert finding.count == 11


def test_a_column_of_reserved_words_alone_fails() -> None:
    lines = [f"u{n % 30},i{n},{n},EVENT_TYPE,{n % 5}" for n in range(60)]
    codes = [finding.code for finding in report(INTERACTIONS, HEADER, *lines).report.findings]
    assert codes == ["only-reserved-words", "reserved-word"]


def test_sparse_columns_are_told_with_their_share() -> None:
    films = [f"i{n},T,A|B,{'Plot.' if n < 16 else ''},{1990 + n if n < 13 else ''},true" for n in range(20)]
    dataset = report(ITEMS, ITEMS_HEADER, *films)
    assert places(dataset) == [("sparse-column", 15, "YEAR", 7), ("sparse-column", 18, "PLOT", 4)]
    assert "35%" in dataset.report.findings[0].problem
    assert dataset.report.passed


def test_many_categories_are_told() -> None:
    dataset = report(ITEMS, ITEMS_HEADER, *(f"i{n},T,G{2 * n}|G{2 * n + 1},P,{n},true" for n in range(20)))
    assert places(dataset) == [("many-categories", 17, "GENRES", 40)]


def test_outliers_and_constants_are_told() -> None:
    years = ["1990"] * 199 + ["199000"]
    outlying = only(report(ITEMS, ITEMS_HEADER, *(f"i{n},T,A,P,{year},true" for n, year in enumerate(years))))
    assert (outlying.code, outlying.line, outlying.example) == ("outlier", 201, "199000")
    constant = only(report(ITEMS, ITEMS_HEADER, *(f"i{n},T,A,P,1990,true" for n in range(5))))
    assert (constant.level, constant.code, constant.column) == ("warning", "constant-number", "YEAR")


def test_a_record_given_twice_is_told_by_its_id() -> None:
    finding = only(report(ITEMS, ITEMS_HEADER, "i1,A,B,P,1,true", "i2,A,B,P,2,true", "i1,C,D,P,3,true"))
    assert (finding.code, finding.line, finding.column, finding.example) == (
        "duplicate",
        4,
        "ITEM_ID",
        "i1,C,D,P,3,true",
    )


def test_repetitions_are_found_across_files() -> None:
    files = [CsvSource.of_bytes(f"{n}.csv", csv_of(HEADER, *CLEAN[n * 30 : n * 30 + 31])) for n in range(2)]
    finding = only(check_dataset(files, INTERACTIONS, minimum_rows=1))
    assert (finding.code, finding.file, finding.line) == ("duplicate", "1.csv", 2)


def test_progress_counts_rows() -> None:
    seen: list[int] = []
    check_dataset([CsvSource.of_bytes("a.csv", csv_of(HEADER, *CLEAN))], INTERACTIONS, progress=seen.append)
    assert seen == [60]


def test_the_report_is_json() -> None:
    as_json = report(ITEMS, ITEMS_HEADER, "i1,A,,P,1,true").report.to_json()
    assert (as_json["datasetType"], as_json["passed"], as_json["rows"]) == ("ITEMS", False, 1)
    assert as_json["findings"][0]["column"] == "GENRES"


def test_interactions_and_items_are_compared() -> None:
    catalogue = parse_schema(text_of("Items", ITEM, string("GENRES", categorical=True)))
    items = report(catalogue, "ITEM_ID,GENRES", *(f"i{n},A" for n in range(20)))
    events = report(INTERACTIONS, HEADER, *CLEAN, "u1,zz,2000,watch,1")
    findings = check_together(events, items, "ITEM_ID")
    assert [(finding.code, finding.count, finding.example) for finding in findings] == [
        ("without-interactions", 13, None),
        ("without-record", 1, "zz"),
    ]


def test_a_conversion_passes(tmp_path: Path) -> None:
    convert(release_100k(tmp_path / "ml"), tmp_path / "out")
    schema = parse_schema((tmp_path / "out/items.schema.json").read_text())
    dataset = check_dataset([CsvSource.of_path(tmp_path / "out/items.csv")], schema)
    assert dataset.report.passed
    assert sorted(dataset.ids["ITEM_ID"]) == ["10", "20", "30"]
