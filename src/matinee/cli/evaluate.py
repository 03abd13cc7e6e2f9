"""`matinee evaluate`: recipes and models measured on a data set under one of three protocols."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.errors import DataProblem, SettingsProblem
from matinee.settings import Settings

if TYPE_CHECKING:
    from matinee.evaluation.comparison import Contender, Run
    from matinee.evaluation.datasets import DataSet
    from matinee.models import base
    from matinee.models.base import FitOptions


class Protocol(StrEnum):
    """How the log is cut into training, inputs and truth."""

    PERSONALIZE = "personalize"
    LEAVE_ONE_OUT = "leave-one-out"
    TEMPORAL = "temporal"


class Seen(StrEnum):
    """What becomes of items of the input."""

    AUTO = "auto"
    EXCLUDE = "exclude"
    KEEP = "keep"


def evaluate(
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="personalize: 10% of users held out, their newest 10% of events asked for. leave-one-out: everybody's "
            "last event. temporal: training ends at the 90% quantile of time, later events are asked for one by one."
        ),
    ],
    dataset: Annotated[
        str,
        typer.Option(
            help="ml-100k, ml-1m, ml-latest-small, sample, a name in MATINEE_DATASETS, or a path: a folder or zip in a "
            "MovieLens layout, an interactions.csv of Personalize, or a folder that has one."
        ),
    ],
    recipe: Annotated[
        list[str], typer.Option("--recipe", help="Recipe name or ARN, or a model such as ease; may be repeated.")
    ],
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to N-1 draw the split and the fit.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of a fit; default MATINEE_THREADS.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="MovieLens: ratings above it are events (default 3.6 with personalize, else all). interactions.csv: "
            "rows with EVENT_VALUE of at least it."
        ),
    ] = None,
    event_type: Annotated[str | None, typer.Option(help="Only rows of this EVENT_TYPE are events.")] = None,
    seen: Annotated[
        Seen,
        typer.Option(
            help="exclude: items of the input are neither listed nor asked for; auto: exclude when at most 2% of "
            "events repeat an item of their user."
        ),
    ] = Seen.AUTO,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE or RECIPE:NAME=VALUE: a parameter of the recipe, or, as model.NAME=JSON, a field of its "
            "model's configuration; may be repeated.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where transformers are trained, as PyTorch calls it: cpu, cuda.")
    ] = "cpu",
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Multiply in bfloat16; for GPUs.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network first; for GPUs.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")] = None,
) -> None:
    """Measure recipes on held-out events, with 95% intervals and paired tests; popularity always beside.

    The figures are those of GetSolutionMetrics, computed by the same code, and more: hit rate, recall, novelty,
    popularity bias, cold and heavy users, new items. Weights and epochs are chosen on training data only.
    """
    from matinee.evaluation.datasets import load_dataset
    from matinee.training.contenders import refuse_without_texts

    names = list(dict.fromkeys(recipe))
    try:
        settings = Settings.from_environment()
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    contenders = _contenders(names, protocol.value, sets or [], settings)
    _check_writable(json_file)
    data = load_dataset(dataset, settings, protocol=protocol.value, threshold=threshold, event_type=event_type)
    exclude = _excludes(seen, data)
    for sentence in (data.why, data.rule, *(f"Warning: {one}" for one in data.warnings), _seen_sentence(exclude)):
        typer.echo(sentence)
    refuse_without_texts(contenders, data.features)
    options = _options(threads or settings.threads, device, bfloat16=bfloat16, compiled=compiled)
    runs = _run(contenders, data, protocol.value, range(seeds), options, exclude=exclude)
    report = _report(contenders, runs, data, protocol.value, dataset, seeds, exclude=exclude)
    _tell(report)
    if json_file is not None:
        _write(json_file, report)


def _contenders(names: list[str], protocol: str, sets: list[str], settings: Settings) -> list[Contender]:
    """What is asked for, and behind it the yardsticks that are not asked for anyway."""
    from matinee.evaluation.comparison import yardsticks
    from matinee.training.contenders import contender, parse_sets

    given = parse_sets(sets, names)
    asked = [contender(name, given[name], sentences=settings.sentence_model) for name in names]
    repeated = {one.name for one in asked}
    if len(repeated) < len(asked):
        raise DataProblem("A recipe is named twice.", fix="Name each --recipe once, by name or by ARN.")
    return asked + [one for one in yardsticks(protocol) if one.name not in repeated]


def _check_writable(path: Path | None) -> None:
    """Find out before hours of training that the figures could not be written."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise DataProblem(
            "The figures cannot be written there.", fix="Name a file in an existing folder.", file=str(path)
        )


def _write(path: Path, report: dict[str, Any]) -> None:
    """Write the figures; raises `ValueError` for one that is no number, which JSON has no word for."""
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    typer.echo(f"Wrote {path}")


def _options(threads: int, device: str, *, bfloat16: bool, compiled: bool) -> FitOptions:
    """How fits are carried out; finds out before anything is read whether there is such a device."""
    from matinee.models.base import FitOptions
    from matinee.models.transformer.device import missing_device

    reason = missing_device(device)
    if reason is not None:
        raise DataProblem(f"There is no device {device!r}: {reason}.", fix="Leave --device out.")
    return FitOptions(threads=threads, device=device, bfloat16=bfloat16, compiled=compiled)


def _excludes(seen: Seen, data: DataSet) -> bool:
    from matinee.models.transformer.config import REPEATS_ALLOWED
    from matinee.models.transformer.model import repeat_share

    return seen is Seen.EXCLUDE or (seen is Seen.AUTO and repeat_share(data.log.interactions) <= REPEATS_ALLOWED)


def _seen_sentence(exclude: bool) -> str:
    return "Items of the input are " + ("left out of the lists." if exclude else "listed like any other.")


def _run(
    contenders: list[Contender], data: DataSet, protocol: str, seeds: range, options: FitOptions, *, exclude: bool
) -> dict[str, list[Run]]:
    """All runs, with a bar on standard error and a line for each that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from matinee.evaluation.comparison import compare

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("splitting", total=1.0)

        def on_step(step: base.Progress) -> None:
            left = f", {step.seconds_left:.0f} s left" if step.seconds_left else ""
            bar.update(task, completed=step.fraction, description=f"{step.message}{left}")

        def on_run(contender: Contender, run: Run) -> None:
            figures = f"NDCG@10 {run.mean('ndcg_at_10'):.4f}  MRR@25 {run.mean('mrr_at_25'):.4f}"
            typer.echo(f"seed {run.seed}  {contender.name:32}  {figures}  {run.train_seconds:.1f} s to train")

        return compare(
            data.log.interactions,
            protocol,
            contenders,
            seeds=seeds,
            exclude_seen=exclude,
            options=replace(options, on_progress=on_step),
            features=data.features,
            on_run=on_run,
        )


def _report(
    contenders: list[Contender],
    runs: dict[str, list[Run]],
    data: DataSet,
    protocol: str,
    dataset: str,
    seeds: int,
    *,
    exclude: bool,
) -> dict[str, Any]:
    from matinee.evaluation.comparison import yardsticks
    from matinee.evaluation.report import entry, paired_tests, whole_report

    standard = {one.name for one in yardsticks(protocol)}
    entries = {one.name: entry(one, runs[one.name]) for one in contenders}
    asked = [name for name in entries if name not in standard] or list(entries)[:1]
    return whole_report(
        [entries[name] for name in asked],
        [one for name, one in entries.items() if name in standard],
        paired_tests(runs, list(entries)),
        protocol=protocol,
        dataset=dataset,
        seeds=seeds,
        data={**data.summary(), "exclude_seen": exclude},
    )


def _tell(report: dict[str, Any]) -> None:
    from rich.console import Console

    from matinee.cli.evaluation_tables import tables

    # A table is read as a whole: where there is no terminal to fit into, it takes the width it needs.
    console = Console(width=None if Console().is_terminal else 180)
    for table in tables(report):
        console.print(table)
