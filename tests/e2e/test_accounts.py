"""Set-up, second factors, trust and enforcement, as people meet them in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from tests.console.running import RunningConsole
from tests.e2e.browser import (
    MIRA,
    Browser,
    browser,
    code_of,
    enrol,
    log_in,
    set_up,
)
from tests.e2e.office import Office


def test_from_the_printed_link_to_a_login_with_code_and_recovery_code(
    console: RunningConsole, mira: Browser
) -> None:
    set_up(mira, console.set_up_link)
    assert "Two-factor authentication is off" in mira.page
    secret, codes = enrol(mira)
    assert "Two-factor authentication is on" in mira.page
    assert len(set(codes)) == 10
    mira.press("Link the first one")
    assert "Say where backups are kept" in mira.page

    mira.driver.delete_all_cookies()
    log_in(mira, console.address)
    assert mira.path == "/login/code"
    mira.fill(code=code_of(secret, steps_from_now=-8))
    mira.press("Log in")
    assert "your phone's clock is 4 minutes late" in mira.page
    mira.fill(code=code_of(secret, steps_from_now=1))
    mira.press("Log in")
    assert mira.path == "/devices"

    mira.driver.delete_all_cookies()
    log_in(mira, console.address)
    mira.press("Alternative methods")
    mira.press("One of your recovery codes")
    mira.fill(code=codes[4].lower())
    mira.press("Log in")
    assert mira.path == "/devices"
    _nothing_secret_in(console.server.log, [secret, *codes, MIRA["password"]])


def test_a_trusted_browser_is_not_asked_until_its_trust_is_ended(
    console: RunningConsole, mira: Browser
) -> None:
    set_up(mira, console.set_up_link)
    secret, _codes = enrol(mira)
    _log_out(mira)
    log_in(mira, console.address)
    mira.fill(code=code_of(secret, steps_from_now=1))
    mira.find("#trust").click()
    mira.press("Log in")
    _log_out(mira)
    log_in(mira, console.address)
    assert mira.path == "/devices"

    mira.open(f"{console.address}/2fa")
    assert "This browser" in mira.page
    mira.press("End trust")
    _log_out(mira)
    log_in(mira, console.address)
    assert mira.path == "/login/code"


def test_a_passkey_is_second_factor_and_login_of_its_own(
    console: RunningConsole, mira: Browser
) -> None:
    mira.driver.add_virtual_authenticator(_authenticator())
    set_up(mira, console.set_up_link)
    mira.press("Use a security key instead")
    mira.fill(name="blue key")
    mira.press_and_wait_for_path("Ask the key", "/2fa/codes")
    number = re.search(r"Type number (\d+)", mira.page)
    assert number is not None
    codes = mira.driver.find_elements(By.CSS_SELECTOR, "#codes .nw")
    mira.fill(code=codes[int(number[1]) - 1].text)
    mira.press("Done")
    assert "blue key" in mira.page

    _log_out(mira)
    log_in(mira, console.address)
    assert mira.path == "/login/key"
    mira.press_and_wait_for_path("Ask the key", "/devices")

    _log_out(mira)
    mira.press("Use a passkey")
    mira.press_and_wait_for_path("Continue with the passkey", "/devices")


def test_requiring_a_factor_stops_a_session_that_is_open(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    set_up(mira, console.set_up_link)
    enrol(mira)
    mira.open(f"{console.address}/people/invite")
    mira.fill(email="ben@keller.example")
    mira.press("Send the invitation")
    with browser(tmp_path / "second") as ben:
        ben.open(_link_in_mail(console.data / "mail", "ben@keller.example", mira))
        ben.press("Continue")
        ben.fill(name="Ben", password="other words of mine")
        ben.press("Create the account")
        assert ben.path == "/devices"

        mira.open(f"{console.address}/organisation")
        mira.press("Require it of everybody")
        assert "Ben" in mira.page
        mira.press("Require it of everybody")

        ben.open(f"{console.address}/account")
        assert ben.path == "/2fa"
        assert "asks every member for a second factor" in ben.page
        mira.open(f"{console.address}/people?mfa=off")
        assert "1 of 2 has no two-factor authentication" in mira.page
        ben.press("Leave organisation")
        assert ben.path == "/account"


def test_everything_needed_to_log_in_works_without_a_mouse(
    console: RunningConsole, mira: Browser
) -> None:
    set_up(mira, console.set_up_link)
    mira.tab_to("Activate")
    mira.keys(Keys.ENTER)
    mira.wait_for_path("/2fa/app")
    secret = mira.find("#secret").text.replace(" ", "").replace("\n", "")
    mira.keys(code_of(secret), Keys.ENTER)
    mira.wait_for_path("/2fa/codes")
    codes = [each.text for each in mira.driver.find_elements(By.CSS_SELECTOR, "#codes .nw")]
    number = re.search(r"Type number (\d+)", mira.page)
    assert number is not None
    mira.tab_to("Copy")
    mira.keys(Keys.TAB)
    mira.keys(codes[int(number[1]) - 1], Keys.ENTER)
    mira.wait_for_path("/2fa")
    mira.tab_to("Add an option")
    mira.keys(Keys.ENTER)
    mira.tab_to("Another authenticator app")
    mira.keys(Keys.ESCAPE)
    assert mira.driver.switch_to.active_element.text == "Add an option"

    mira.driver.delete_all_cookies()
    mira.open(console.address)
    mira.keys(MIRA["email"], Keys.TAB)
    mira.keys(MIRA["password"], Keys.ENTER)
    mira.wait_for_path("/login/code")
    mira.keys(code_of(secret, steps_from_now=1), Keys.ENTER)
    mira.wait_for_path("/devices")


def test_the_open_tab_is_in_view_on_a_phone_and_tabs_take_one_line(office: Office) -> None:
    office.browser.resize(320, 700)
    for page in ("/2fa", "/account", "/account/application-passwords"):
        browser = office.open(page)
        tabs = browser.driver.find_elements(By.CSS_SELECTOR, ".tabs .tab")
        assert len({tab.rect["y"] for tab in tabs}) == 1
        open_tab = browser.find(".tabs [aria-current]").rect
        assert 0 <= open_tab["x"] < 320 - 60
        assert open_tab["height"] >= 44
    office.browser.resize(1280, 900)


def test_a_console_that_was_killed_keeps_accounts_and_sessions(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    from tests.console.running import running_console

    set_up(mira, console.set_up_link)
    console.server.process.kill()
    console.server.process.wait()

    with running_console(tmp_path) as again:
        assert again.set_up_link == ""
        mira.open(f"{again.address}/account")
        assert MIRA["email"] in mira.page


def _authenticator() -> VirtualAuthenticatorOptions:
    """A passkey of a phone: it remembers who it is for, and checks the person."""
    return VirtualAuthenticatorOptions(
        protocol=VirtualAuthenticatorOptions.Protocol.CTAP2,
        transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_consenting=True,
        is_user_verified=True,
    )


def _log_out(browser: Browser) -> None:
    browser.find(".side form button").click()
    browser.wait_for_path("/")


def _link_in_mail(folder: Path, recipient: str, browser: Browser) -> str:
    """The link in the newest mail to somebody; mails leave a moment after the page."""

    def links() -> list[str]:
        texts = [file.read_text() for file in sorted(folder.iterdir())]
        return re.findall(r"https?://\S+#[\w-]{43}", "".join(t for t in texts if recipient in t))

    browser.wait_for(lambda: bool(links()), "a mail")
    return links()[-1]


def _nothing_secret_in(log: Path, secrets: list[str]) -> None:
    text = log.read_text()
    assert [secret for secret in secrets if secret in text] == []
