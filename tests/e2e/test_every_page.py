"""What holds for every page, those that are added later included.

The pages are those of the URLconf. A page counts as seen when its own address was shown.
"""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import MIRA, keep_codes
from tests.e2e.flaws import flaws_of
from tests.e2e.office import Office

_REFUSED_METHOD = 405
# A browser stores these, or reads them for a page: it shows nothing.
_FILES = frozenset({"audit-export", "recovery-codes-download", "download-file", "devices-live"})
_LEADING_ON = frozenset({"restore-open"})
# They need a vault that is unlocked: test_restoring looks at them.
_UNLOCKED = frozenset(
    f"restore-{page}"
    for page in ("files", "folder", "found", "preview", "picture", "zip", "zip-state")
)
_MORE = (
    "/people?mfa=off",
    "/people?words=nobody-is-called-so",
    "/organisation?ask",
    "/audit?check",
    "/locations/add/swift",
    "/locations/add/webdav",
    "/locations/add/folder",
    "/login/code?reset",
)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_page_is_cut_off_faint_or_mute(office: Office, language: str) -> None:
    flaws: dict[str, list[str]] = {}
    office.speak(language)
    seen = _look_at_recovery_codes(office, flaws)
    _type_code_of_a_device(office)
    _walk(office, seen, flaws)
    with office.browser.without_cookies():
        office.speak(language)
        _walk(office, seen, flaws)
        _log_in_halfway(office)
        _walk(office, seen, flaws)
    office.speak("en")

    assert flaws == {}
    assert seen == {*_pages(office).values(), *_MORE}


def _pages(office: Office) -> dict[str, str]:
    return {name: at for name, at in office.filled.pages.items() if name not in _UNLOCKED}


def _look_at_recovery_codes(office: Office, flaws: dict[str, list[str]]) -> set[str]:
    """They are shown once, and nothing else is until they are kept."""
    browser = office.open("/2fa")
    browser.find("form[action='/2fa/codes/renew'] button").click()
    browser.wait_for_path("/2fa/codes")
    if found := flaws_of(browser):
        flaws["/2fa/codes"] = found
    keep_codes(browser)
    return {"/2fa/codes"}


def _type_code_of_a_device(office: Office) -> None:
    """So that the page where it is answered is there."""
    browser = office.open("/link")
    browser.fill(code=office.filled.waiting_codes[0])
    browser.find("#code").send_keys(Keys.ENTER)
    browser.wait_for_path("/link/answer")


def _log_in_halfway(office: Office) -> None:
    """The password was right, the second factor is asked for."""
    browser = office.open("/")
    browser.fill(name=MIRA["email"], password=MIRA["password"])
    browser.find("#id_password").send_keys(Keys.ENTER)
    browser.wait_for_path("/login/code")


def _walk(office: Office, seen: set[str], flaws: dict[str, list[str]]) -> None:
    """Look at every page that is still unseen and that this visitor may see."""
    addresses = {**_pages(office), **dict(zip(_MORE, _MORE, strict=True))}
    for name, address in addresses.items():
        if address in seen:
            continue
        browser = office.open(address) if name not in _FILES else office.browser
        if name in _FILES | _LEADING_ON or browser.status == _REFUSED_METHOD:
            seen.add(address)  # nothing that a browser shows
        elif browser.path == address:
            seen.add(address)
            if found := flaws_of(browser):
                flaws[address] = found
