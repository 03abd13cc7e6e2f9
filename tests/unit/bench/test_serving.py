"""The serving benchmark runs, a moment for each row, and refuses to give figures of requests that failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import need_program

from matinee.bench.serving import Plan, run
from matinee.bench.wrk import BenchProblem, Load, measure
from matinee.data.sample import generate_sample
from matinee.settings import Settings

_INSTALL = "apt-get install wrk"


def test_every_row_is_measured_against_real_servers(tmp_path: Path) -> None:
    need_program("wrk", _INSTALL)
    data = generate_sample(users=40, films=60, ratings=1_200).write(tmp_path / "data")
    plan = Plan(str(data), tmp_path / "artifact", Load(1, 2), rounds=1, warm_up=0, history=10, users=20, genre="Drama")
    told: list[str] = []
    figures = run(plan, Settings(home=tmp_path), told.append)
    rates = ("bare_rps", "uncached_rps", "filtered_rps", "cached_rps", "put_events_per_second")
    assert all(figures[name] > 0 for name in rates)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["torch_in_process"] is False
    assert figures["cold_rps"] > 0
    assert set(figures["processor_us"]) == {"bare", "uncached", "cold", "filtered", "cached"}
    assert figures["events_seen_by_the_next_request"] == 100
    assert (tmp_path / "artifact/manifest.json").exists()
    assert any(line.startswith("put") and "stored" in line for line in told)


def test_a_server_that_is_not_there_gives_no_figure() -> None:
    need_program("wrk", _INSTALL)
    with pytest.raises(BenchProblem, match=r"wrk failed|Requests failed"):
        measure(
            "http://127.0.0.1:1", [b"POST / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 0\r\n\r\n"], Load(1, 1)
        )


def test_without_wrk_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchProblem, match="apt-get install wrk"):
        run(Plan(), Settings(home=tmp_path))
