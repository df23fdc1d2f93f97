"""The language of the windows: English stands in the source, the others in gettext catalogues.

``tr`` is called where words are shown, never where they are kept: a program speaks one language
from its start on. ``.dev/catalogue.py`` renews the catalogues.
"""

from __future__ import annotations

import gettext
from pathlib import Path

from PySide6.QtCore import QLocale

_DOMAIN = "everboot"
_FOLDER = Path(__file__).parent / "locale"


class _Speech:
    """What ``speak`` chose; English until then."""

    catalogue: gettext.NullTranslations = gettext.NullTranslations()
    locale: QLocale = QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)


def speak(locale: QLocale) -> None:
    """From now on; English where there is no catalogue for that language."""
    language = locale.name().partition("_")[0]
    _Speech.catalogue = gettext.translation(_DOMAIN, _FOLDER, [language], fallback=True)
    has_catalogue = isinstance(_Speech.catalogue, gettext.GNUTranslations)
    english = QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)
    _Speech.locale = locale if has_catalogue or language == "en" else english


def locale() -> QLocale:
    """How numbers, days and months are written."""
    return _Speech.locale


def tr(text: str, **parts: object) -> str:
    """``text`` in the language that is spoken, ``{part}`` filled in."""
    said = _Speech.catalogue.gettext(text)
    return said.format(**parts) if parts else said


def trn(one: str, many: str, number: int, **parts: object) -> str:
    """For one or for many; ``{number}`` is written as the language does."""
    said = _Speech.catalogue.ngettext(one, many, number)
    return said.format(number=_Speech.locale.toString(number), **parts)
