"""Places, and the fix that a wrong word gets."""

from __future__ import annotations

from matinee.project.problems import Place, Problem, ProjectProblem, choose_from


def test_a_likely_word_is_suggested_whatever_its_case() -> None:
    assert choose_from("solutionconfig", ["solutionConfig", "eventType"]) == "Did you mean solutionConfig?"


def test_an_unlikely_word_gets_the_whole_list() -> None:
    assert choose_from("zzz", ["recipe", "train"]) == "Known here: recipe, train."


def test_a_refusal_tells_everything_in_the_order_of_the_lines() -> None:
    later = Problem(Place("m.yaml", 9, "b"), "Second.", "Fix it.")
    earlier = Problem(Place("m.yaml", 2, "a"), "First.", "Fix it.")
    assert str(ProjectProblem([later, earlier])) == "m.yaml:2 a: First. Fix it.\nm.yaml:9 b: Second. Fix it."
