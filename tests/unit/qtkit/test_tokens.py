"""The colours keep the contrast that people with weak eyes need (WCAG 2.2 AA)."""

from __future__ import annotations

import pytest

from backup_agent.qtkit.tokens import DARK, LIGHT, Palette

TEXT_ON_GROUND = [
    *(("ink", "canvas"), ("ink", "surface"), ("ink2", "canvas"), ("ink2", "surface")),
    *(
        ("ink3", "canvas"),
        ("ink3", "surface"),
        ("on_accent", "accent"),
        ("on_accent", "accent_press"),
    ),
    *(("accent", "surface"), ("accent", "canvas"), ("ink", "accent_soft"), ("ok", "surface")),
    *(("warn", "surface"), ("warn", "canvas"), ("bad", "surface"), ("bad_ink", "bad_soft")),
    *(("warn_ink", "warn_soft"), ("ink", "d1_soft"), ("ink", "d2_soft"), ("ink", "d3_soft")),
]
MARK_ON_GROUND = [
    *(("edge", "surface"), ("edge", "canvas"), ("focus", "surface"), ("focus", "canvas")),
    *(("d1", "surface"), ("d2", "surface"), ("d3", "surface"), ("d4", "surface")),
]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_pair_has_contrast_enough(palette: Palette) -> None:
    for needed, pairs in ((4.5, TEXT_ON_GROUND), (3.0, MARK_ON_GROUND)):
        for front, ground in pairs:
            ratio = contrast(getattr(palette, front), getattr(palette, ground))
            assert ratio >= needed, (front, ground, ratio)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
