"""A device may be linked and unlinked while its agent runs, and may refuse its console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from backup_agent.agent.console_line import ConsoleLine
from backup_agent.agent.console_link import ConsoleLink
from backup_agent.agent.desk import AgentSettings
from backup_agent.errors import LinkError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, Notice, ignore
from backup_agent.services.link.reports import Command, ReportChannel
from tests.unit.agent.workplace import Workplace


def test_a_line_is_open_as_long_as_the_device_is_linked(tmp_path: Path) -> None:
    file = tmp_path / "device.json"
    opened: list[CancelToken] = []
    link = ConsoleLink(file, open_line=opened.append, emit=ignore)

    link.look()
    assert opened == []
    file.write_text("{}")
    link.look()
    link.look()
    assert [line.cancelled for line in opened] == [False]
    file.unlink()
    link.look()
    assert [line.cancelled for line in opened] == [True]
    file.write_text("{ }")
    link.look()
    assert [line.cancelled for line in opened] == [True, False]


def test_a_damaged_identity_is_told_and_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "device.json"
    file.write_text("?")
    said: list[Event] = []

    def refuse(_until: CancelToken) -> None:
        raise LinkError("It cannot be read.", hint="Link anew.")

    link = ConsoleLink(file, open_line=refuse, emit=said.append)
    link.look()

    assert link.address() == ""
    assert said == [Notice("It cannot be read. Link anew.")]


@pytest.mark.parametrize("obeys", [True, False])
def test_commands_of_the_console_are_obeyed_unless_that_is_forbidden(
    place: Workplace, obeys: bool
) -> None:
    with place.parts() as parts:
        parts.book.save(place.plan())
        parts.desk.change_settings(AgentSettings(obeys_console=obeys))
        line = ConsoleLine(
            cast(ReportChannel, None),
            parts.agent,
            parts.ledger,
            parts.agenda,
            parts.settings,
            now=lambda: place.now,
            emit=ignore,
            cancel=CancelToken(),
        )
        answers: Sequence[str] = [line.obey(Command("1", kind)) for kind in ("back_up", "stop")]
        unknown = line.obey(Command("2", "dance"))

    assert [not answer for answer in answers] == [obeys, obeys]
    assert ("takes no commands" in unknown) is not obeys
