"""What must hold for the repository as a whole, whatever is added to it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest
from django.conf import settings
from pip._internal.models.index import PyPI

from tests.console import django_settings

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = ("backup_agent", "rescue_media", "console_ui", "iso_builder")

_INDEX_SETTING = re.compile(r"^[^=]*\b(?:extra-index-url|index-url|find-links)='(?P<values>.*)'$")
# Asked of pip, for not even the public index is named in this repository.
_PUBLIC_HOSTS = {PyPI.netloc, PyPI.file_storage_domain}


def tracked_texts() -> dict[str, str]:
    """Path -> text of everything that git keeps; what is not text is left out."""
    # Whoever runs the tests need not be who made the checkout.
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    texts = {}
    for name in filter(None, listing.split("\0")):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return texts


def package_index_addresses(pip_config: str) -> set[str]:
    """Hosts and folders of this computer's own package indexes, from ``pip config list``."""
    addresses = set()
    for line in pip_config.splitlines():
        setting = _INDEX_SETTING.match(line)
        for value in setting["values"].split() if setting else ():
            parts = urlsplit(value)
            addresses.add(parts.path if parts.scheme in {"", "file"} else parts.hostname or "")
    return addresses - _PUBLIC_HOSTS - {"", "/"}


def _configure_django() -> None:
    """Models can be imported only then; the tests of the console may have done it already."""
    if not settings.configured:
        # Not by an environment variable, which tests of other programs would hand on.
        names = {name: value for name, value in vars(django_settings).items() if name.isupper()}
        settings.configure(**names)
        django.setup()


def modules() -> list[str]:
    """Every module of the products but ``__main__``, which runs when imported."""
    _configure_django()
    found = list(PRODUCTS)
    for product in PRODUCTS:
        package = importlib.import_module(product)
        found += [m.name for m in pkgutil.walk_packages(package.__path__, f"{product}.")]
    return [name for name in found if not name.endswith("__main__")]


def test_index_addresses_are_found_in_pips_own_listing() -> None:
    listing = (
        "global.cert='/etc/ssl/ca.crt'\n"
        "global.extra-index-url='file:///srv/wheels/simple https://user:pw@index.example.org/simple'\n"
        f"global.index-url='https://{PyPI.netloc}/simple'\n"
        ":env:.find-links='/srv/more'"
    )
    assert package_index_addresses(listing) == {
        "/srv/wheels/simple",
        "index.example.org",
        "/srv/more",
    }


def test_no_tracked_file_names_this_computers_package_index() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, check=True, text=True
    ).stdout
    addresses = package_index_addresses(listing)
    named = [
        (name, address)
        for name, text in tracked_texts().items()
        for address in addresses
        if address in text
    ]
    assert named == []


def test_no_tracked_file_names_a_folder_of_this_checkout_or_its_owner() -> None:
    home = Path.home()
    private = {f"{ROOT}/"} | ({f"{home}/."} if home != Path("/") else set())
    named = [
        (name, path) for name, text in tracked_texts().items() for path in private if path in text
    ]
    assert named == []


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name: str) -> None:
    assert importlib.import_module(name).__name__ == name


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name in modules() if not importlib.import_module(name).__doc__]
    assert silent == []


def test_every_requirement_is_pinned_to_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(line for extra in extras for line in extra)]
    lines = (ROOT / ".dev" / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[^=]+", pin)] == []
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in required}
    assert names - pinned - {project["name"]} == set()
