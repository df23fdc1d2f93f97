"""Every face that the window can show, by name, for tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from backup_agent.agent.desk import DeskState, Verdict
from backup_agent.gui.places import Place
from tests.gui.person import Person

FIRST_START = DeskState(number=0, verdict=Verdict.UNPROTECTED)


def faces(person: Person) -> Iterator[tuple[str, Callable[[], None]]]:
    """(name, what leads there)"""
    for place in Place:
        yield place.value, partial(person.go, place)
    yield "link", person.window.link
    yield from _steps(person)


def _steps(person: Person) -> Iterator[tuple[str, Callable[[], None]]]:
    """The assistant's four questions, answered on the way."""
    yield "plan: what", partial(person.window.plan, "")
    yield "plan: where", partial(_next, person, "kind of storage")

    def answer_where() -> None:
        person.write("storage address", "/backups")
        person.write("password", "correct horse battery staple")
        person.write("password again", "correct horse battery staple")
        _next(person, "how often")

    yield "plan: when", answer_where
    yield "plan: how long", partial(_next, person, "balanced")


def _next(person: Person, until: str) -> None:
    person.press("next")
    person.until(lambda: person.sees(until))
