"""`python -m matinee` is the `matinee` program."""

from matinee.cli import main

main()
