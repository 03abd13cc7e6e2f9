"""`matinee card`: the model card of a trained artifact, and the same training once more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.errors import DataProblem, SettingsProblem
from matinee.settings import Settings

if TYPE_CHECKING:
    from matinee.control.records import Resource
    from matinee.storage.metadata import Database
    from matinee.storage.objects import ObjectStore

_KINDS = ("solution-version", "recommender")


def card(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Folder of an artifact, with its card.json.")
    ] = None,
    version_arn: Annotated[
        str | None, typer.Option(help="ARN of a solution version or recommender in MATINEE_HOME, instead of a folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON instead of Markdown.")] = False,
    retrain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --version-arn: train again what the card says, from the data stored now, into this new folder; "
            "fails unless every file of the model is the same to the last bit.",
        ),
    ] = None,
) -> None:
    """Show a model card: data, parameters, metrics with intervals, curves, hardware, time, versions, checksums."""
    if (folder is None) == (version_arn is None):
        raise DataProblem("Which card is not clear.", fix="Name either the folder of an artifact or --version-arn.")
    if folder is not None:
        if retrain is not None:
            raise DataProblem("--retrain needs the data that were trained on.", fix="Name the version: --version-arn.")
        from matinee.training.card import read_card

        _tell(read_card(folder), as_json=as_json)
    elif version_arn is not None:
        _of_version(version_arn, retrain, as_json=as_json)


def _of_version(arn: str, retrain: Path | None, *, as_json: bool) -> None:
    """The card of a version that the metadata know; trained again when asked to."""
    from matinee.storage.metadata import Database
    from matinee.storage.objects import open_store
    from matinee.training.card import read_card

    try:
        settings = Settings.from_environment()
    except SettingsProblem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    database, objects = Database(settings.effective_database_url), open_store(settings)
    try:
        version = _find(database, arn)
        found = read_card(objects.local(version.private["artifact"]))
        if retrain is None:
            _tell(found, as_json=as_json)
        else:
            _train_again(settings, database, objects, version, found, retrain)
    finally:
        database.close()


def _find(database: Database, arn: str) -> Resource:
    """The version or recommender with this ARN, trained."""
    from matinee.control import records

    database.upgrade()
    with database.read() as connection:
        found = records.find(connection, arn)
    if found is None or found.kind not in _KINDS:
        raise DataProblem(f"There is no solution version or recommender {arn}.", fix="Check the ARN and MATINEE_HOME.")
    if "artifact" not in found.private:
        raise DataProblem(f"{arn} is {found.status}: it has no artifact.", fix="Wait until it is ACTIVE.")
    return found


def _train_again(
    settings: Settings,
    database: Database,
    objects: ObjectStore,
    version: Resource,
    found: Mapping[str, Any],
    into: Path,
) -> None:
    from matinee.models.base import FitOptions, Progress
    from matinee.recipes.catalogue import find
    from matinee.recipes.recipe import Method
    from matinee.training.action_data import take_action_data
    from matinee.training.caps import Caps
    from matinee.training.retraining import retrain
    from matinee.training.selection import Selection
    from matinee.training.snapshot import take_snapshot

    if into.exists() and any(into.iterdir()):
        raise DataProblem("The folder is not empty.", fix="Name a new one.", file=str(into))
    recipe, group = find(found["recipe"]), version["datasetGroupArn"]
    snapshot = take_snapshot(
        database, objects, group, Selection.of(recipe, version.attributes), Caps.of(recipe, settings)
    )
    actions = take_action_data(database, objects, group) if recipe.method is Method.ACTIONS else None

    def tell(step: Progress) -> None:
        typer.echo(f"{step.fraction:4.0%} {step.message}", err=True)

    retrain(found, snapshot, into, FitOptions(on_progress=tell), actions=actions)
    typer.echo(f"Trained again into {into}: every file of the model is the same as in {version.arn}.")


def _tell(found: Mapping[str, Any], *, as_json: bool) -> None:
    from matinee.training.card_page import card_page

    typer.echo(json.dumps(found, indent=2) if as_json else card_page(found).rstrip())
