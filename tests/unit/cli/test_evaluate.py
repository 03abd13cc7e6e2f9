"""`matinee evaluate`: tables, JSON, and a sentence for what cannot be evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.cli.evaluate import _write
from matinee.data.sample import generate_sample


def run(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_sample(users=60, films=50, ratings=1_800).write(tmp_path_factory.mktemp("sample"))


@pytest.mark.parametrize("protocol", ["personalize", "leave-one-out", "temporal"])
def test_each_protocol_writes_the_promised_members(protocol: str, ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    result = run("--protocol", protocol, "--dataset", ratings, "--recipe", "ease", "--seeds", 2, "--json", out)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert {"protocol", "dataset", "recipe", "seeds", "train_seconds", "peak_memory_mb", "metrics"} <= set(report)
    assert (report["protocol"], report["recipe"], report["seeds"]) == (protocol, "ease", 2)
    for figure in report["metrics"].values():
        assert figure["low"] <= figure["mean"] <= figure["high"]
    assert set(report["beside"]) == {"popularity", "popular-last-7-days"}


def test_the_output_says_what_was_measured_on_what(ratings: Path) -> None:
    result = run("--protocol", "personalize", "--dataset", ratings, "--recipe", "ease", "--recipe", "aws-sims")
    assert "Ratings above 3.6 are events" in result.output
    assert "Items of the input are left out of the lists." in result.output
    assert "seed 0  aws-sims" in result.output
    for word in ("ndcg_at_10", "coverage", "novelty_at_10", "Segments", "Paired differences"):
        assert word in result.output


def test_several_recipes_are_compared_pair_by_pair(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    options: list[str | Path | int] = [
        "--protocol",
        "leave-one-out",
        "--dataset",
        ratings,
        "--json",
        out,
        "--set",
        "ease:recency_power=0",
    ]
    assert run(*options, "--recipe", "ease", "--recipe", "ridge").exit_code == 0
    report = json.loads(out.read_text())
    assert report["run"]["config"]["recency_power"] == 0
    assert [one["recipe"] for one in report["others"]] == ["ridge"]
    assert ("ease", "ridge") in {(one["recipe"], one["against"]) for one in report["paired"]}


def test_popularity_can_be_asked_for_itself(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    run("--protocol", "temporal", "--dataset", ratings, "--recipe", "popularity", "--json", out)
    report = json.loads(out.read_text())
    assert (report["recipe"], report["others"]) == ("popularity", [])


def test_a_log_where_users_return_lists_seen_items(tmp_path: Path) -> None:
    rows = [f"u{number % 20},i{number % 7},{number}" for number in range(400)]
    (tmp_path / "interactions.csv").write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *rows]) + "\n")
    result = run("--protocol", "leave-one-out", "--dataset", tmp_path, "--recipe", "ease")
    assert result.exit_code == 0, result.output
    assert "Items of the input are listed like any other." in result.output


def test_semantic_similarity_reads_titles(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    recipes = ["--recipe", "aws-semantic-similarity"]
    result = run("--protocol", "leave-one-out", "--dataset", ratings, *recipes, "--json", out)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    popular = report["beside"]["popularity"]["metrics"]["novelty_at_10"]["mean"]
    assert report["metrics"]["novelty_at_10"]["mean"] != pytest.approx(popular)


def test_a_recipe_that_reads_texts_is_refused_where_there_are_none(tmp_path: Path) -> None:
    rows = [f"u{number % 20},i{number % 7},{number}" for number in range(400)]
    (tmp_path / "interactions.csv").write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *rows]) + "\n")
    result = run("--protocol", "leave-one-out", "--dataset", tmp_path, "--recipe", "aws-semantic-similarity")
    assert result.exit_code == 1
    assert "aws-semantic-similarity reads the texts of items, and this data set has none" in result.output


def test_times_in_milliseconds_are_warned_of(tmp_path: Path) -> None:
    rows = [f"u{number % 20},i{number % 7},{1_700_000_000_000 + number}" for number in range(400)]
    (tmp_path / "interactions.csv").write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *rows]) + "\n")
    out = tmp_path / "figures.json"
    result = run("--protocol", "leave-one-out", "--dataset", tmp_path, "--recipe", "popularity", "--json", out)
    assert result.exit_code == 0, result.output
    assert "Warning: TIMESTAMP looks like milliseconds." in result.output
    (warning,) = json.loads(out.read_text())["data"]["warnings"]
    assert "divide by 1000" in warning


def test_a_figure_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        _write(tmp_path / "figures.json", {"mean": float("nan")})
    assert not (tmp_path / "figures.json").exists()


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["--recipe", "nothing"], 1, "There is no recipe or model 'nothing'"),
        (["--recipe", "ease", "--dataset", "nowhere"], 1, "There is no data set 'nowhere'"),
        (["--recipe", "ease", "--threshold", "9"], 1, "no event to evaluate on"),
        (["--recipe", "ease", "--json", "/nowhere/at/all.json"], 1, "cannot be written"),
        (["--recipe", "ease", "--protocol", "guess"], 2, "guess"),
        (["--recipe", "ease", "--seeds", "0"], 2, "seeds"),
        (["--recipe", "aws-sims", "--recipe", "arn:aws:personalize:::recipe/aws-sims"], 1, "named twice"),
    ],
)
def test_what_cannot_be_evaluated_ends_with_a_sentence(
    ratings: Path, options: list[str], status: int, problem: str
) -> None:
    result = run("--protocol", "leave-one-out", "--dataset", ratings, *options)
    assert (result.exit_code, "Traceback" in result.output) == (status, False)
    assert problem in result.output


def test_too_small_data_end_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i1,2\n")
    result = run("--protocol", "leave-one-out", "--dataset", tmp_path, "--recipe", "ease")
    assert result.exit_code == 1
    assert "nothing to test on" in result.output
