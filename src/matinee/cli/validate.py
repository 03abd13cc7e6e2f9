"""`matinee validate`: the data-quality report of CSV files, before anything is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matinee.data.csv_lines import CsvSource
    from matinee.data.quality import Dataset, QualityReport
    from matinee.data.schemas import Schema

_SCHEMA_END = ".schema.json"


def validate(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|FILE",
            help="A CSV file, a folder of CSV files of one data set (with --schema), or a folder as `matinee convert` "
            "writes it: interactions.csv beside interactions.schema.json, and so on.",
        ),
    ],
    schema: Annotated[
        Path | None,
        typer.Option(help="Avro schema (JSON) of the file or folder; default NAME.schema.json beside NAME.csv."),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="VIDEO_ON_DEMAND or ECOMMERCE: check the schema by the domain's rules too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Report everything that would fail an import or a training, or spoil what is learnt.

    Each finding names file, line, column, an example and the fix. Exit status: 0 without errors, 1 with errors.
    """
    from matinee.data.quality import check_dataset

    checked = [check_dataset(_sources(part), _schema(part, domain)) for part in _parts(data, schema)]
    reports = _reports(checked)
    passed = all(report.passed for report in reports)
    if as_json:
        report_json = {"passed": passed, "datasets": [report.to_json() for report in reports]}
        typer.echo(json.dumps(report_json, indent=2, ensure_ascii=False))
    else:
        for report in reports:
            _tell(report)
        typer.echo("PASS" if passed else "FAIL")
    if not passed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Part:
    """The files of one data set and the file of its schema."""

    files: tuple[Path, ...]
    schema: Path


def _parts(data: Path, schema: Path | None) -> list[_Part]:
    """What to check: one data set, or each pair of NAME.csv and NAME.schema.json of a folder."""
    from matinee.errors import DataProblem

    if not data.exists():
        raise DataProblem("There is no such file or folder.", fix="Check the path.", file=str(data))
    if data.is_file():
        return [_Part((data,), schema or data.with_name(f"{data.stem}{_SCHEMA_END}"))]
    if schema is not None:
        files = tuple(sorted(path for path in data.glob("*.csv") if path.is_file()))
        parts = [_Part(files, schema)] if files else []
    else:
        pairs = [
            (path.with_name(path.name.removesuffix(_SCHEMA_END) + ".csv"), path)
            for path in sorted(data.glob(f"*{_SCHEMA_END}"))
        ]
        parts = [_Part((csv,), path) for csv, path in pairs if csv.is_file()]
    if not parts:
        raise DataProblem(
            "The folder has no CSV file to check." if schema else "The folder has no CSV file with its schema.",
            fix="Name a CSV file and its --schema, or put NAME.schema.json beside each NAME.csv.",
            file=str(data),
        )
    return parts


def _schema(part: _Part, domain: str | None) -> Schema:
    from matinee.data.schemas import parse_schema
    from matinee.errors import DataProblem, InvalidInput

    try:
        return parse_schema(part.schema.read_text(encoding="utf-8-sig"), domain)
    except FileNotFoundError:
        raise DataProblem(
            "There is no schema for the data.", fix="Name one with --schema.", file=str(part.schema)
        ) from None
    except UnicodeDecodeError:
        raise DataProblem("The schema is not UTF-8.", fix="Save it in UTF-8.", file=str(part.schema)) from None
    except InvalidInput as problem:
        raise DataProblem(problem.message, fix="Correct the schema.", file=str(part.schema)) from None


def _sources(part: _Part) -> list[CsvSource]:
    from matinee.data.csv_lines import CsvSource

    return [CsvSource.of_path(path) for path in part.files]


def _reports(checked: list[Dataset]) -> list[QualityReport]:
    """The reports, with what the data sets say of each other added to that of the interactions."""
    from matinee.data.quality import check_together

    reports = {dataset.report.dataset_type: dataset for dataset in checked}
    interactions = reports.get("INTERACTIONS")
    together = [
        finding
        for kind, key in (("ITEMS", "ITEM_ID"), ("USERS", "USER_ID"))
        if interactions is not None and kind in reports
        for finding in check_together(interactions, reports[kind], key)
    ]
    return [
        replace(dataset.report, findings=(*dataset.report.findings, *together))
        if dataset is interactions
        else dataset.report
        for dataset in checked
    ]


def _tell(report: QualityReport) -> None:
    """One data set's findings as text."""
    typer.echo(f"{report.dataset_type}: {report.rows:,} rows in {', '.join(report.files)}")
    for finding in report.findings:
        times = f" [{finding.count:,} rows]" if finding.count > 1 else ""
        typer.echo(f"  {finding.level.upper():7} {finding.code}: {finding.sentence}{times}")
    if not report.findings:
        typer.echo("  nothing to report")
