"""News reach a console that is away for days, in order and once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from backup_agent.agent.courier import Courier, pause_after, spread
from backup_agent.agent.database import Database
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.listener import Listener
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome, Ran
from backup_agent.errors import LinkError, TransientStorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Progress, ignore
from backup_agent.services.link.reports import (
    Command,
    Event,
    ReportChannel,
    RunEnded,
    ToldPlan,
    ToldProgress,
)

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)


@dataclass
class PlayedConsole:
    """Notes what it is told. ``away``: it does not answer; ``refuses``: a run it never takes."""

    away: bool = False
    refuses: str = ""
    lost_answers: int = 0
    heard: list[Event] = field(default_factory=list)
    beats: int = 0
    progress_heard: list[int] = field(default_factory=list)
    asked: list[Command] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)

    def heartbeat(self, version: str, plans: Sequence[ToldPlan]) -> int:
        self._answer()
        self.beats += 1
        return 60

    def events(self, events: Sequence[Event]) -> None:
        self._answer()
        if any(event.run == self.refuses for event in events):
            raise LinkError("The console refuses: invalid")
        self.heard += [event for event in events if event not in self.heard]

    def progress(self, progress: ToldProgress) -> None:
        self._answer()
        self.progress_heard.append(progress.bytes_done)

    def commands(self, *, wait_seconds: int) -> list[Command]:
        self._answer()
        return list(self.asked)

    def answer(self, command: Command, *, refused: str = "") -> None:
        if self.lost_answers:
            self.lost_answers -= 1
            raise TransientStorageError("No answer.")
        self.answers.append((command.id, refused))

    def _answer(self) -> None:
        if self.away:
            raise TransientStorageError("No console answers.")


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Database(tmp_path / "agent.sqlite3")) as database:
        yield Ledger(database, tells=True)


def courier(console: PlayedConsole, ledger: Ledger, clock: Clock | None = None) -> Courier:
    return Courier(
        cast(ReportChannel, console),
        ledger,
        list,
        emit=ignore,
        cancel=CancelToken(),
        clock=clock or Clock(),
    )


def a_run(ledger: Ledger, name: str = "Projects") -> str:
    run = ledger.begin(Plan(id="7", name=name), at=NOW)
    ledger.end(run, Ran(outcome=Outcome.DONE, ended_at=NOW))
    return run.id


def test_nothing_is_lost_while_the_console_is_away(ledger: Ledger) -> None:
    console = PlayedConsole(away=True)
    runs = [a_run(ledger) for _ in range(60)]
    bringing = courier(console, ledger)
    with pytest.raises(TransientStorageError):
        bringing.deliver()

    console.away = False
    bringing.deliver()

    assert [event.run for event in console.heard if isinstance(event, RunEnded)] == runs
    assert ledger.news(limit=1) == []


def test_an_event_that_is_never_taken_does_not_keep_the_others(ledger: Ledger) -> None:
    runs = [a_run(ledger) for _ in range(3)]
    console = PlayedConsole(refuses=runs[1])

    courier(console, ledger).deliver()

    told = [event.run for event in console.heard if isinstance(event, RunEnded)]
    assert told == [runs[0], runs[2]]
    assert ledger.news(limit=1) == []


def test_heartbeats_come_a_little_earlier_than_asked_and_not_all_at_once() -> None:
    assert spread(60, chance=lambda: 0.0) == 48
    assert spread(60, chance=lambda: 1.0) == 60


def test_a_heartbeat_comes_when_the_console_expects_it(ledger: Ledger) -> None:
    console, clock = PlayedConsole(), Clock()
    bringing = courier(console, ledger, clock)

    for seconds in (0, 1, 47, 60, 61):
        clock.seconds = seconds
        bringing.deliver()

    assert console.beats == 2


def test_of_progress_only_the_latest_is_told(ledger: Ledger) -> None:
    console = PlayedConsole()
    bringing = courier(console, ledger)

    for done in (1, 2, 3):
        bringing.show_progress("run", Progress("files", bytes_done=done))
    bringing.deliver()
    bringing.show_progress("run", None)
    bringing.deliver()

    assert console.progress_heard == [3]


def test_pauses_grow_and_differ_between_devices() -> None:
    assert [pause_after(n, chance=lambda: 1.0) for n in (1, 2, 5, 50)] == [1, 2, 16, 120]
    assert pause_after(50, chance=lambda: 0.0) == 60


def test_a_command_is_obeyed_once_though_its_answer_was_lost() -> None:
    console = PlayedConsole(asked=[Command("c1", "back_up")], lost_answers=1)
    obeyed: list[str] = []

    def obey(command: Command) -> str:
        obeyed.append(command.id)
        return ""

    listener = Listener(cast(ReportChannel, console), obey, cancel=CancelToken())
    with pytest.raises(TransientStorageError):
        listener.listen(wait_seconds=0)
    listener.listen(wait_seconds=0)

    assert obeyed == ["c1"]
    assert console.answers == [("c1", "")]
