"""What users' state must be after acknowledged events and records, by the rules alone: nothing here is Matinee's."""

from __future__ import annotations

from dataclasses import dataclass, field

ITEMS = tuple("abcdefgh")
GENRES = ("Drama", "Comedy", "War")
KINDS = ("watch", "click")
ACTIONS = ("call", "join", "surf", "sing", "walk")
TYPES = ("talk", "group", "web")
ANSWERS = ("TAKEN", "NOT_TAKEN", "VIEWED")


@dataclass(frozen=True)
class ActionRecord:
    """An action's type; whether it is not to be repeated for some days, and whether its time is over."""

    kind: str
    repeat: bool = False
    expired: bool = False


@dataclass
class UserModel:
    """What has been acknowledged, and the rules by which it counts for a user. Knows nothing of how Matinee does it."""

    events: list[tuple[str | None, str, str, str]] = field(default_factory=list)
    owner: dict[str, str] = field(default_factory=dict)
    genres: dict[str, str] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    actions: dict[str, ActionRecord] = field(default_factory=dict)
    answers: list[tuple[str | None, str, str, str, bool]] = field(default_factory=list)

    def event(self, user: str | None, session: str, item: str, kind: str) -> None:
        """An acknowledged event; the first user that a session names owns it."""
        self.events.append((user, session, item, kind))
        if user is not None:
            self.owner.setdefault(session, user)

    def answer(self, user: str | None, session: str, action: str, answer: str, *, recent: bool) -> None:
        """An acknowledged event about an action; it tells as much of a session's owner."""
        self.answers.append((user, session, action, answer, recent))
        if user is not None:
            self.owner.setdefault(session, user)

    def touched(self, user: str, kind: str | None) -> set[str]:
        """Items that a user, or a session that is theirs, has an event of this type with."""
        return {item for who, session, item, of in self.events if self._is(user, who, session) and kind in (None, of)}

    def answered(self, user: str, answer: str | None = None, *, recently: bool = False) -> set[str]:
        """Actions that a user, or a session that is theirs, has such an answer to."""
        return {
            action
            for who, session, action, of, recent in self.answers
            if self._is(user, who, session) and answer in (None, of) and (recent or not recently)
        }

    def open_actions(self, user: str, name: str) -> set[str]:
        """The actions that may be recommended to a user under a filter: neither over nor to be repeated too soon."""
        soon = self.answered(user, recently=True)
        every = {
            action
            for action, record in self.actions.items()
            if not record.expired and not (record.repeat and action in soon)
        }
        return {
            "every": every,
            "taken": every - self.answered(user, "TAKEN"),
            "answered": every - self.answered(user),
            "web": {action for action in every if self.actions[action].kind == "web"},
        }[name]

    def _is(self, user: str, who: str | None, session: str) -> bool:
        """Whether what `who` did in a session counts for a user."""
        return who == user or (who is None and (session == user or self.owner.get(session) == user))

    def allowed(self, user: str, name: str, genre: str) -> set[str]:
        """The items that a filter lets through for a user."""
        every = set(ITEMS)
        of_genre = {item for item in ITEMS if genre in self.genres.get(item, "").split("|")}
        war = {item for item in ITEMS if "War" in self.genres.get(item, "").split("|")}
        young = user in self.ages and self.ages[user] < 18
        return {
            "watched": every - self.touched(user, "watch"),
            "touched": every - self.touched(user, None),
            "only-clicked": self.touched(user, "click") & every,
            "genre": of_genre,
            "young": every - war if young else every,
        }[name]
