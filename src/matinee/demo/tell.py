"""The demo from end to end: data, server, project file, questions, events, clean-up."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.syntax import Syntax

from matinee.demo.clients import Clients
from matinee.demo.embedded import EmbeddedServer
from matinee.demo.films import Catalogue
from matinee.demo.narrator import Narrator
from matinee.demo.project_file import write_project_file
from matinee.demo.story import Story
from matinee.demo.workflow import Workflow

_SHOWN_USERS = 2
_SHOWN_FILMS = 3
_SHOWN_RECOMMENDATIONS = 8
_WATCHED = 5


def tell(folder: Path, dataset: dict[str, object], console: Console, home: Path | None = None) -> Story:
    """Run the whole workflow on the converted data in `folder` and return what was found.

    Without `home` the server lives in a temporary folder and everything is deleted at the end, also when the demo is
    interrupted; with it, everything stays there to be served again.
    """
    started = time.monotonic()
    narrator = Narrator(console)
    with ExitStack() as cleanup:
        place = home or Path(cleanup.enter_context(TemporaryDirectory(prefix="matinee-demo-"))) / "home"
        with narrator.running(), narrator.step("embedded server"):
            server = cleanup.enter_context(EmbeddedServer(place, {"MATINEE_CHECK_ROLES": "never"}))
        file = write_project_file(folder)
        _show(file, console)
        workflow = Workflow(Clients.of(server.url), file, narrator)
        made = workflow.run()
        story = Story(dataset=dataset, metrics=made.metrics, training_seconds=made.training_seconds)
        with narrator.running():
            workflow.check()
            with narrator.step("recommendations, events, recommendations again"):
                _ask(workflow, Catalogue.read(folder), story)
            if home is None:
                workflow.destroy()
    story.step_seconds = narrator.seconds
    story.total_seconds = round(time.monotonic() - started, 2)
    return story


def _show(file: Path, console: Console) -> None:
    """The project file as a reader would see it in an editor."""
    console.print(f"\n[bold]{file.name}[/bold], which `matinee apply` could be given as well:\n", highlight=False)
    console.print(Syntax(file.read_text(encoding="utf-8"), "yaml", background_color="default", word_wrap=True))


def _ask(workflow: Workflow, catalogue: Catalogue, story: Story) -> None:
    """What an application would ask, for a few users and films, before and after new events."""
    users = catalogue.typical_users(_SHOWN_USERS + 1)
    for user in users[:_SHOWN_USERS]:
        story.users.append(
            {
                "user_id": user,
                "history": catalogue.describe(catalogue.histories[user][::-1][:_SHOWN_RECOMMENDATIONS]),
                "recommended": catalogue.describe(workflow.recommend(user, _SHOWN_RECOMMENDATIONS)),
            }
        )
    for item in catalogue.famous_films(_SHOWN_FILMS):
        similar = workflow.similar(item, _SHOWN_RECOMMENDATIONS)
        story.similar.append({"film": catalogue.describe([item])[0], "similar": catalogue.describe(similar)})
    user = users[-1]
    watched = catalogue.unseen_of_one_genre(user, _WATCHED)
    before = workflow.recommend(user, _SHOWN_RECOMMENDATIONS)
    workflow.watch(user, watched)
    after = workflow.recommend(user, _SHOWN_RECOMMENDATIONS)
    story.events = {
        "user_id": user,
        "watched": catalogue.describe(watched),
        "before": catalogue.describe(before),
        "after": catalogue.describe(after),
        "changed": len(set(after) - set(before)),
    }
