"""Making Qt look like the design: one palette and one short style sheet, made from the tokens."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from backup_agent.qtkit.tokens import (
    CODE_FAMILIES,
    DARK,
    FOR_FINGERS,
    LIGHT,
    TEXT_FAMILIES,
    Density,
    Palette,
)

_BODY_POINTS = 10.5
_MARKS = Path(__file__).parent / "marks"
"""What a style sheet can only take from files."""


def system_palette(application: QApplication) -> Palette:
    """Dark where the system says so."""
    is_dark = application.styleHints().colorScheme() is Qt.ColorScheme.Dark
    return DARK if is_dark else LIGHT


def dress(application: QApplication, palette: Palette, *, density: Density = FOR_FINGERS) -> None:
    """From now on every window looks like this."""
    application.setStyle("Fusion")
    application.setPalette(_qt_palette(palette))
    font = QFont(list(TEXT_FAMILIES))
    font.setPointSizeF(_BODY_POINTS)
    application.setFont(font)
    application.setStyleSheet(_style_sheet(palette, density))


def _qt_palette(colours: Palette) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for where, colour in (
        (role.Window, colours.canvas),
        (role.WindowText, colours.ink),
        (role.Base, colours.surface),
        (role.AlternateBase, colours.sunk),
        (role.Text, colours.ink),
        (role.Button, colours.surface),
        (role.ButtonText, colours.ink),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.ink),
        (role.PlaceholderText, colours.ink3),
        (role.Highlight, colours.accent_soft),
        (role.HighlightedText, colours.accent_ink),
        (role.Link, colours.accent),
    ):
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(colours.off))
    return palette


def _style_sheet(c: Palette, density: Density) -> str:
    """Roles are dynamic properties: ``role`` of labels and frames, ``kind`` of buttons."""
    theme = "dark" if c is DARK else "light"
    check, down, up = (
        (_MARKS / f"{name}-{theme}.svg").as_posix() for name in ("check", "down", "up")
    )
    mono = ", ".join(f'"{family}"' for family in CODE_FAMILIES)
    return f"""
QLabel[role="title"] {{ font-size: 21pt; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: 12pt; font-weight: 600; }}
QLabel[role="lead"] {{ font-size: 12pt; color: {c.ink2}; }}
QLabel[role="caption"] {{ font-size: 9pt; color: {c.ink3}; }}
QLabel[role="secondary"] {{ color: {c.ink2}; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="number"] {{ font-size: 30pt; font-weight: 600; }}
QLabel[role="code"] {{ font-family: {mono}; font-size: 45pt; font-weight: 600; }}
QLabel[role="key"] {{ font-family: {mono}; font-size: 10.5pt; font-weight: 600; }}
QLabel[state="ok"] {{ color: {c.ok}; font-weight: 600; }}
QLabel[state="warn"] {{ color: {c.warn}; font-weight: 600; }}
QLabel[state="bad"] {{ color: {c.bad}; font-weight: 600; }}
QLabel[state="running"] {{ color: {c.accent}; font-weight: 600; }}
QFrame[role="panel"] {{
    background: {c.surface}; border: 1px solid {c.line}; border-radius: 10px; }}
QFrame[role="bar"] {{ background: {c.surface}; border: 0 solid {c.line}; }}
QFrame[role="topbar"] {{ background: {c.surface}; border: 0; border-bottom: 1px solid {c.line}; }}
QFrame[role="bottombar"] {{ background: {c.surface}; border: 0; border-top: 1px solid {c.line}; }}
QFrame[role="problem"] {{
    background: {c.bad_soft}; border: 1px solid {c.bad}; border-radius: 8px; }}
QFrame[role="problem"] QLabel {{ color: {c.bad_ink}; }}
QFrame[role="warning"] {{
    background: {c.warn_soft}; border: 1px solid {c.warn}; border-radius: 8px; }}
QFrame[role="warning"] QLabel {{ color: {c.warn_ink}; }}
QPushButton {{
    min-height: {density.control - 6}px; padding: 0 {density.padding}px;
    font-size: {density.button_points}pt; font-weight: 600;
    color: {c.ink}; background: {c.surface}; border: 1px solid {c.edge};
    border-radius: {density.radius}px; margin: 2px; }}
QPushButton:hover {{ background: {c.sunk}; }}
QPushButton:focus {{ border: 2px solid {c.focus}; margin: 1px; }}
QPushButton:disabled {{ color: {c.off}; border-color: {c.line}; background: {c.sunk}; }}
QPushButton[kind="main"] {{
    color: {c.on_accent}; background: {c.accent}; border-color: {c.accent}; }}
QPushButton[kind="main"]:hover {{ background: {c.accent_hover}; }}
QPushButton[kind="main"]:pressed {{ background: {c.accent_press}; }}
QPushButton[kind="main"]:focus {{ border: 3px double {c.on_accent}; margin: 1px; }}
QPushButton[kind="main"]:disabled {{
    color: {c.off}; background: {c.sunk}; border-color: {c.line}; }}
QPushButton[kind="choice"] {{ text-align: left; padding: 10px 18px; border-color: {c.line}; }}
QPushButton[kind="choice"]:focus {{ border: 2px solid {c.focus}; }}
QPushButton[kind="link"] {{
    color: {c.accent}; background: transparent; border: 1px solid transparent; padding: 0 6px;
    text-decoration: underline; font-weight: 400; font-size: 10.5pt; }}
QPushButton[kind="link"]:focus {{ border: 2px solid {c.focus}; }}
QLineEdit, QComboBox, QPlainTextEdit, QAbstractSpinBox {{
    min-height: {density.control - 8}px; padding: 0 10px; background: {c.surface}; color: {c.ink};
    border: 1px solid {c.edge}; border-radius: 6px; selection-background-color: {c.accent};
    selection-color: {c.on_accent}; }}
QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus {{
    border: 2px solid {c.focus}; }}
QComboBox[state="required"] {{ border: 2px dashed {c.warn}; color: {c.warn}; font-weight: 600; }}
QComboBox[state="required"]:focus {{ border: 2px solid {c.focus}; }}
QComboBox::drop-down {{ border: 0; width: 32px; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 16px; height: 16px; }}
QCheckBox::indicator, QTreeView::indicator {{
    width: 16px; height: 16px; border: 1px solid {c.edge}; border-radius: 4px;
    background: {c.surface}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked {{
    background: {c.accent}; border-color: {c.accent}; image: url("{check}"); }}
QComboBox QAbstractItemView {{ background: {c.raised}; border: 1px solid {c.edge}; }}
QCheckBox, QRadioButton {{
    min-height: {density.row - 6}px; spacing: 8px; padding: 1px 4px;
    border: 2px solid transparent; }}
QCheckBox:focus, QRadioButton:focus {{ border: 2px solid {c.focus}; border-radius: 4px; }}
QTreeView, QListView {{
    background: {c.surface}; border: 1px solid {c.line}; border-radius: 10px; outline: 0; }}
QTreeView:focus, QListView:focus {{ border: 2px solid {c.focus}; }}
QTreeView::item, QListView::item {{ min-height: {density.row}px; padding-right: 12px; }}
QTreeView::item:selected, QListView::item:selected {{
    background: {c.accent_soft}; color: {c.ink}; }}
QHeaderView::section {{
    background: {c.surface}; color: {c.ink3}; border: 0; border-bottom: 1px solid {c.line};
    padding: 6px 10px; font-size: 9pt; font-weight: 600; }}
QProgressBar {{
    background: {c.sunk}; border: 0; border-radius: 4px; min-height: 8px; max-height: 8px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 4px; }}
QFrame[role="note"] {{ background: {c.sunk}; border: 0; border-radius: 8px; }}
QFrame[role="rule"] {{ background: {c.line}; border: 0; max-height: 1px; }}
QFrame[role="chosen"] {{
    background: {c.surface}; border: 1px solid {c.accent}; border-radius: 10px; }}
QFrame[role="navigation"] {{ background: {c.sunk}; border: 0; }}
QFrame[role="navigation"] QListView {{ background: {c.sunk}; border: 0; }}
QFrame[role="warning"] QPushButton, QFrame[role="problem"] QPushButton {{ margin: 2px; }}
QRadioButton::indicator {{
    width: 14px; height: 14px; border: 1px solid {c.edge}; border-radius: 8px;
    background: {c.surface}; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {c.accent}; }}
QAbstractSpinBox QLineEdit {{
    border: 0; min-height: 0; padding: 0 2px; background: transparent; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: 0; width: 22px; }}
QAbstractSpinBox::up-arrow {{ image: url("{up}"); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow {{ image: url("{down}"); width: 10px; height: 10px; }}
QToolButton {{
    min-width: {density.control - 6}px; min-height: {density.control - 6}px;
    border: 1px solid transparent; border-radius: {density.radius}px; background: transparent; }}
QToolButton:hover {{ background: {c.sunk}; }}
QToolButton:focus {{ border: 2px solid {c.focus}; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton[kind="quiet"] {{
    color: {c.accent}; background: transparent; border-color: transparent; }}
QPushButton[kind="quiet"]:focus {{ border: 2px solid {c.focus}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {c.edge}; border-radius: 3px; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: transparent; width: 12px; }}
QMenu {{ background: {c.raised}; border: 1px solid {c.line}; padding: 4px; }}
QMenu::item {{ padding: 6px 20px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {c.accent_soft}; color: {c.ink}; }}
QMenu::item:disabled {{ color: {c.off}; }}
QMenuBar {{ background: {c.sunk}; color: {c.ink2}; }}
QMenuBar::item {{ padding: 4px 10px; background: transparent; }}
QMenuBar::item:selected {{ background: {c.surface}; color: {c.ink}; border-radius: 4px; }}
QToolTip {{ background: {c.raised}; color: {c.ink}; border: 1px solid {c.line}; padding: 4px; }}
QScrollArea {{ border: 0; background: transparent; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
"""
