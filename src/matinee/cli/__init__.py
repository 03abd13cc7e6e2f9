"""The command line: one file for each subcommand."""


def main() -> None:
    """Entry point of the `matinee` program."""
    from matinee.cli.app import app

    app()
