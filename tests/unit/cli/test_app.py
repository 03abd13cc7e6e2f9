"""The program: its subcommands, its speed, its errors."""

from __future__ import annotations

import subprocess
import sys

from typer.testing import CliRunner

import matinee
from matinee.cli.app import app


def test_help_names_the_subcommands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in ("convert", "validate", "demo", "serve", "worker", "keys"))


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"matinee {matinee.__version__}\n"


def test_help_loads_nothing_heavy() -> None:
    heavy = ("torch", "polars", "numpy", "scipy", "sqlalchemy", "starlette", "boto3", "dbos")
    script = f"import sys, matinee.cli.app; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
