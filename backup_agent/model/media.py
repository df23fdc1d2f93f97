"""What makes rescue media somebody's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Empty texts where nothing was chosen. None of it is a secret.

    ``console`` is an address, ``code`` a media code (``AA11-BB22-CC33``),
    ``certificate`` the PEM text of an authority to trust beside the known ones.
    """

    console: str = ""
    code: str = ""
    certificate: str = ""
