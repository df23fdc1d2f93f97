"""Nobody in front of the window can type a command's options."""

from __future__ import annotations

import pytest

from rescue_media.errands.hints import hint_in_the_window


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("Name another file.", "Name another file."),
        ("For instance --map disk0=FILE or --map disk0/volume2=/dev/sdb2", "volume mapping"),
        ("everboot check --read-data tells what is affected.", "earlier restore point"),
        ("everboot link --status shows how things are.", "registration code"),
    ],
)
def test_a_hint_says_what_to_do_in_the_window(hint: str, expected: str) -> None:
    assert expected in hint_in_the_window(hint)
    assert "--" not in hint_in_the_window(hint)


def test_a_hint_for_the_command_line_alone_is_not_shown() -> None:
    assert hint_in_the_window("Run everboot prune --allow-empty.") == ""
