"""What a person sees of a plan and its carrying out."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from tests.unit.project import stage

from matinee.project.observed import Observed, Unmanaged
from matinee.project.planning import make_plan
from matinee.project.telling import Teller, draw_plan


def screen(*, terminal: bool = False) -> Console:
    """A console whose text can be read afterwards."""
    return Console(file=io.StringIO(), width=200, force_terminal=terminal, color_system=None)


def text(console: Console) -> str:
    """What was printed."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_an_update_shows_before_and_after() -> None:
    console = screen()
    draw_plan(make_plan(stage.with_request(stage.CAMPAIGN, minProvisionedTPS=3), stage.everything()), console)
    assert "~ update campaign c  differs\n      minProvisionedTPS: 1 → 3\n" in text(console)
    assert "Plan: 1 to update." in text(console)


def test_a_refusal_shows_the_way_out() -> None:
    console = screen()
    draw_plan(make_plan(stage.with_request(stage.FILTER, filterExpression="[x]"), stage.everything()), console)
    assert "refused: Add --replace" in text(console)
    assert "filterExpression: E → [x]" in text(console)


def test_creation_imports_and_training_are_told() -> None:
    console = screen()
    draw_plan(make_plan(stage.project(), Observed(fingerprints={"ITEMS": stage.PRINTS})), console)
    assert "▲ import items as g-items-" in text(console)
    assert "Plan: 6 to create, 1 to import, 1 to train." in text(console)


def test_nothing_to_do_is_said_and_what_is_left_alone() -> None:
    console = screen()
    observed = replace(stage.everything(), unmanaged=(Unmanaged("filter", "extra", "arn"),))
    draw_plan(make_plan(stage.project(), observed), console)
    assert "Nothing to do" in text(console)
    assert "Left alone, since the file does not name it: filter extra" in text(console)


def test_each_end_is_one_line_and_a_failure_has_its_reason() -> None:
    for terminal in (False, True):
        console = screen(terminal=terminal)
        plan = make_plan(stage.project(), Observed(fingerprints={"ITEMS": stage.PRINTS}))
        with Teller(console) as teller:
            teller.started(plan.actions[0])
            teller.looked(plan.actions[0], "CREATE PENDING", 0.5, "")
            teller.ended(plan.actions[0], "")
            teller.started(plan.actions[1])
            teller.ended(plan.actions[1], "It ended as CREATE FAILED: [no]")
            teller.skipped(plan.actions[2], plan.actions[1].id)
        assert "✓ create dataset group g" in text(console)
        assert "✗ create schema s" in text(console)
        assert "It ended as CREATE FAILED: [no]" in text(console)
        assert "left out: create schema s s" in text(console)
