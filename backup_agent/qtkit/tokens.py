"""The design's colours, by what they are for and never by how they look.

``d1`` to ``d4`` are the colours of data (volumes, mostly), their ``_soft`` twins the free part
of the same thing. ``_soft`` is a ground, ``_ink`` the text on it.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT_FAMILIES = ("Segoe UI Variable Text", "Segoe UI", "Inter", "Noto Sans", "sans-serif")
CODE_FAMILIES = ("Cascadia Mono", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono", "monospace")


@dataclass(frozen=True, slots=True)
class Density:
    """How large what is pressed is: pixels at 100 %, and points of the text on buttons."""

    control: int
    row: int
    padding: int
    radius: int
    button_points: float


FOR_FINGERS = Density(control=44, row=34, padding=18, radius=8, button_points=12)
"""Rescue media: any screen, and a pointer that may be a finger."""
FOR_POINTER = Density(control=32, row=32, padding=14, radius=6, button_points=10.5)
"""A desktop's window."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as ``#RRGGBB``."""

    canvas: str
    surface: str
    sunk: str
    raised: str
    line: str
    edge: str
    ink: str
    ink2: str
    ink3: str
    off: str
    accent: str
    accent_hover: str
    accent_press: str
    on_accent: str
    accent_soft: str
    accent_ink: str
    focus: str
    ok: str
    ok_soft: str
    ok_ink: str
    warn: str
    warn_soft: str
    warn_ink: str
    bad: str
    bad_soft: str
    bad_ink: str
    paused: str
    paused_soft: str
    paused_ink: str
    d1: str
    d1_soft: str
    d2: str
    d2_soft: str
    d3: str
    d3_soft: str
    d4: str
    d4_soft: str
    free: str


LIGHT = Palette(
    canvas="#F1F4F4",
    surface="#FFFFFF",
    sunk="#E7ECED",
    raised="#FFFFFF",
    line="#D3DADC",
    edge="#78868C",
    ink="#172125",
    ink2="#47555B",
    ink3="#5A686E",
    off="#8C989D",
    accent="#0B5F86",
    accent_hover="#094F70",
    accent_press="#073F5A",
    on_accent="#FFFFFF",
    accent_soft="#DDECF4",
    accent_ink="#0A4A69",
    focus="#0B6FA0",
    ok="#1A7244",
    ok_soft="#E0F1E6",
    ok_ink="#125733",
    warn="#9A6200",
    warn_soft="#FBEED2",
    warn_ink="#6E4500",
    bad="#B3261E",
    bad_soft="#FBE6E4",
    bad_ink="#8C1B15",
    paused="#5A686E",
    paused_soft="#E5EAEC",
    paused_ink="#445157",
    d1="#1F7FAE",
    d1_soft="#CFE5F0",
    d2="#7565B5",
    d2_soft="#E1DDF2",
    d3="#97753A",
    d3_soft="#EEE4CF",
    d4="#66757C",
    d4_soft="#DEE4E6",
    free="#F1F4F4",
)

DARK = Palette(
    canvas="#11171A",
    surface="#192125",
    sunk="#0C1113",
    raised="#222C31",
    line="#2E3A40",
    edge="#76868D",
    ink="#E8EEF0",
    ink2="#B5C2C7",
    ink3="#96A5AB",
    off="#66747A",
    accent="#62B2DB",
    accent_hover="#83C5E7",
    accent_press="#4A9CC6",
    on_accent="#06202D",
    accent_soft="#13364A",
    accent_ink="#B0DCF2",
    focus="#7CC4EA",
    ok="#5BC68A",
    ok_soft="#13321F",
    ok_ink="#9CE0B8",
    warn="#E2AA40",
    warn_soft="#38290B",
    warn_ink="#F2CE86",
    bad="#F28B82",
    bad_soft="#42201D",
    bad_ink="#F8B7B1",
    paused="#9BA9AF",
    paused_soft="#283238",
    paused_ink="#C3CED3",
    d1="#4FA6D2",
    d1_soft="#173A4C",
    d2="#9C8FDB",
    d2_soft="#2C2748",
    d3="#C3A063",
    d3_soft="#3A2F19",
    d4="#8495A0",
    d4_soft="#28333A",
    free="#11171A",
)
