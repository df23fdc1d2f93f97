"""The versions that the program runs with here, for ``pip install --constraint``.

Only what the program needs on a device, and what that needs in turn: what else is installed
beside a console is nobody's business.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

from console_ui.download.wheel import DISTRIBUTION

_NAME = re.compile(r"^[A-Za-z0-9._-]+")


@cache
def constraints() -> str:
    """One ``name==version`` a line, by name."""
    found: dict[str, str] = {}
    waiting = _needs(DISTRIBUTION)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:
            continue  # for another system or Python than this one
        waiting += _needs(name)
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _needs(name: str) -> list[str]:
    """Names as written in requirements (PEP 508), extras aside."""
    requirements = distribution(name).requires or []
    names = [_NAME.match(each) for each in requirements if "extra ==" not in each]
    return [found[0].lower().replace("_", "-") for found in names if found is not None]
