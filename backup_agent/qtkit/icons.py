"""The icons, drawn from one file of symbols in the colour and size that is asked for."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SYMBOL = re.compile(r'<symbol id="(?P<name>[^"]+)"[^>]*>(?P<body>.*?)</symbol>', re.DOTALL)
_SHARPEST = 3
"""Device pixels of one pixel on the densest screens."""


@cache
def icon(name: str, colour: str, *, pixels: int = 24) -> QIcon:
    """Raises ``KeyError`` for a name that is not in ``icons.svg``."""
    stroke = 2 if pixels <= 16 else 1.5 if pixels >= 32 else 1.75
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{colour}" stroke-width="{stroke}" stroke-linecap="round" '
        f'stroke-linejoin="round">{_symbols()[name]}</svg>'
    )
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    made = QIcon()
    for scale in range(1, _SHARPEST + 1):
        picture = QPixmap(pixels * scale, pixels * scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter, QRectF(0, 0, pixels * scale, pixels * scale))
        painter.end()
        picture.setDevicePixelRatio(scale)
        made.addPixmap(picture)
    return made


@cache
def _symbols() -> dict[str, str]:
    text = files("backup_agent.qtkit").joinpath("icons.svg").read_text(encoding="utf-8")
    return {found["name"]: found["body"] for found in _SYMBOL.finditer(text)}
