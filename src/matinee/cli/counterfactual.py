"""`matinee counterfactual`: what another version would have earned, from what a campaign that explores has shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.cli.metadata import Home, metadata, settings_of

if TYPE_CHECKING:
    from matinee.evaluation.counterfactual import Value
    from matinee.serving.counterfactual import Replayed

#: Below so many effective decisions, or this share of the version's choices, estimates are told with a warning.
_FEW, _COVERED = 100, 0.5


def counterfactual(
    campaign: Annotated[str, typer.Option(help="ARN of the campaign, or recommender, whose log is used.")],
    solution_version: Annotated[str, typer.Option(help="ARN of the version to judge.")],
    click: Annotated[list[str] | None, typer.Option(help="Event type that is a success; default click.")] = None,
    answers: Annotated[int, typer.Option(min=1, help="How many logged answers, the newest.")] = 10_000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Confidence of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Home = None,
) -> None:
    """Estimate the click-through of another version before it is deployed: IPS, SNIPS and doubly robust.

    Exits with 1 and says why where the log cannot tell: no answers with exploration since the version was trained, no
    clicks on them, or nothing shown that the version would have shown.
    """
    from matinee.control import records
    from matinee.errors import ResourceNotFound
    from matinee.serving.counterfactual import Replay
    from matinee.storage.objects import open_store

    settings = settings_of(home)
    with metadata(settings) as database:
        with database.read() as connection:
            version = records.find(connection, solution_version)
        if version is None or version.kind != "solution-version":
            raise ResourceNotFound.of(solution_version)
        replayed = Replay(database, open_store(settings), version).decisions(campaign, click or ["click"], answers)
    told = _told(replayed, confidence)
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{told['answers']} answers to {told['users']} users, {told['decisions']} places, {told['clicks']} clicks; "
        f"effective places {told['effective']:.1f}, covered {told['covered']:.0%} of what the version would show"
    )
    for name, value in told["estimates"].items():
        low, high = (("unknown" if bound is None else f"{bound:.4f}") for bound in (value["low"], value["high"]))
        typer.echo(f"{name:<16}  {value['mean']:.4f}  [{low}, {high}]")
    for caution in told["cautions"]:
        typer.echo(f"caution: {caution}")


def _told(replayed: Replayed, confidence: float) -> dict[str, Any]:
    """The report. Raises `InvalidInput` without overlap."""
    from dataclasses import replace

    from matinee.errors import InvalidInput
    from matinee.evaluation.counterfactual import doubly_robust, inverse_propensity, self_normalised

    decisions = replayed.decisions
    if not decisions.weights.any():
        raise InvalidInput(
            f"No overlap: the version would have shown none of the {len(decisions.rewards)} items that were shown "
            "where they stood. This log says nothing about it; raise explorationWeight, or run an experiment."
        )
    shown_now = replace(decisions, targets=decisions.propensities)
    estimates = {
        "shown now": inverse_propensity(shown_now, confidence=confidence),
        "IPS": inverse_propensity(decisions, confidence=confidence),
        "SNIPS": self_normalised(decisions, confidence=confidence),
        "doubly robust": doubly_robust(decisions, replayed.shown, replayed.expected, confidence=confidence),
    }
    covered = float(decisions.weights.mean())
    cautions = []
    if decisions.effective < _FEW:
        cautions.append(f"only {decisions.effective:.0f} places carry the estimates; collect more answers.")
    if covered < _COVERED:
        cautions.append(
            f"the log could show only {covered:.0%} of what the version would: IPS takes the rest for no click, SNIPS "
            "for like the covered part, doubly robust for what its reward model expects."
        )
    return {
        "answers": replayed.answers,
        "users": replayed.users,
        "decisions": len(decisions.rewards),
        "clicks": int(decisions.rewards.sum()),
        "effective": decisions.effective,
        "covered": covered,
        "confidence": confidence,
        "estimates": {name: _plain(value) for name, value in estimates.items()},
        "cautions": cautions,
    }


def _plain(value: Value) -> dict[str, float | None]:
    """A value for JSON, which has no infinity: None where the bound is not known."""
    bounded = abs(value.low) != float("inf")
    return {
        "mean": value.mean,
        "low": value.low if bounded else None,
        "high": value.high if bounded else None,
    }
