"""A browser that people's actions can be written down for."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_WAIT_SECONDS = 30
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en",
)

MIRA = {
    "organisation": "Keller Fontana Architects",
    "name": "Mira Keller",
    "email": "mira@keller.example",
    "password": "several words of mine",
}


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser with cookies of its own."""

    driver: Chrome

    def open(self, address: str) -> None:
        self.driver.get(address)

    @property
    def page(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def path(self) -> str:
        return re.sub(r"^https?://[^/]+", "", self.driver.current_url)

    def find(self, css: str) -> WebElement:
        self.wait_for(lambda: bool(self.driver.find_elements(By.CSS_SELECTOR, css)), css)
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(text)

    def press(self, label: str) -> None:
        """Press the button or link with this label and wait for the page that follows."""
        old = self.driver.find_element(By.TAG_NAME, "html")
        self.control(label).click()
        self.wait_for(lambda: old != self.driver.find_element(By.TAG_NAME, "html"), label)

    def press_and_wait_for_path(self, label: str, path: str) -> None:
        """For buttons that ask a key first, and go on by themselves."""
        self.control(label).click()
        self.wait_for_path(path)

    def control(self, label: str) -> WebElement:
        written = f'normalize-space(.)="{label}"'
        path = f"//main//*[(self::button or self::a or self::summary) and {written}]"
        return self.driver.find_element(By.XPATH, path)

    def keys(self, *keys: str) -> None:
        """Type without a mouse, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, name: str) -> None:
        """Press Tab until the control whose accessible name begins so has the focus, visibly."""
        for _ in range(60):
            reached = self.driver.switch_to.active_element
            if reached.accessible_name.startswith(name):
                assert reached.value_of_css_property("outline-style") == "solid", name
                assert reached.value_of_css_property("outline-width") == "2px", name
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"no way to {name!r} by the keyboard on {self.path}")

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        WebDriverWait(self.driver, _WAIT_SECONDS, ignored_exceptions=[Exception]).until(
            lambda _driver: happened(), f"{what} on {self.driver.current_url}"
        )

    def wait_for_path(self, path: str) -> None:
        self.wait_for(lambda: self.path.partition("?")[0] == path, path)

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """As a window of this size in CSS pixels, zoomed by ``scale``."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
        )

    def prefer(self, theme: str) -> None:
        """As a system that is set to this theme, ``light`` or ``dark``, and to little motion."""
        features = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}
        wanted = [{"name": name, "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    @property
    def status(self) -> int:
        """The HTTP status of the page that is open."""
        script = "return performance.getEntriesByType('navigation')[0].responseStatus"
        return int(self.driver.execute_script(script))

    @contextlib.contextmanager
    def without_cookies(self) -> Iterator[None]:
        """As somebody else in this browser; afterwards it is as it was."""
        kept = self.driver.get_cookies()
        self.driver.delete_all_cookies()
        try:
            yield
        finally:
            self.driver.delete_all_cookies()
            for cookie in kept:
                self.driver.add_cookie(cookie)

    def complaints(self) -> list[str]:
        """What the console of the developer tools shows.

        Apart from refused requests, from files that were on their way at a kill, and from
        advice about forms: it takes the two ways to log in at a Swift for two forms.
        """
        log = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        messages = [str(entry["message"]) for entry in log if entry["source"] != "recommendation"]
        return [m for m in messages if "status of 40" not in m and "ERR_CONNECTION" not in m]


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A fresh browser that asks nobody outside and is gone after the block."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*_FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        made = Browser(driver)
        made.resize(1280, 900)
        yield made
    finally:
        driver.quit()


def set_up(browser: Browser, link: str) -> None:
    """Make the first owner through the link that the console printed."""
    browser.open(link)
    browser.fill(**MIRA)
    browser.press("Create the account")


def enrol(browser: Browser) -> tuple[str, list[str]]:
    """Link an app as a phone does it, by reading the QR code; its secret and the ten codes."""
    browser.press("Activate")
    secret = secret_in_picture(browser)
    browser.fill(code=code_of(secret))
    browser.press("Confirm")
    return secret, keep_codes(browser)


def keep_codes(browser: Browser) -> list[str]:
    """Type the recovery code that is asked for, in whatever language; all ten codes."""
    found = browser.driver.find_elements(By.CSS_SELECTOR, "#codes .nw")
    codes = [each.text for each in found]
    number = re.search(r"\d+", browser.find("label[for=code]").text)
    assert number is not None
    field = browser.find("#code")
    field.clear()
    field.send_keys(codes[int(number[0]) - 1], Keys.ENTER)
    browser.wait_for_path("/2fa")
    return codes


def secret_in_picture(browser: Browser) -> str:
    """The secret in the QR code, read by zbar from a picture of the page."""
    picture = browser.find(".qr").screenshot_as_png
    command = ["zbarimg", "--quiet", "--raw", "--nodbus", "-"]
    told = subprocess.run(command, input=picture, capture_output=True, check=True).stdout.decode()
    found = re.fullmatch(
        r"otpauth://totp/Everboot:mira%40keller\.example\?secret=([A-Z2-7]{32})&issuer=Everboot",
        told.strip(),
    )
    assert found is not None, told
    return found[1]


def code_of(secret: str, *, steps_from_now: int = 0) -> str:
    """What oathtool shows for the secret now, or some steps of 30 seconds later."""
    command = ["oathtool", "--totp", "--base32", secret]
    return subprocess.check_output(
        [*command, f"--now=now + {30 * steps_from_now} seconds"], text=True
    ).strip()


def log_in(browser: Browser, address: str) -> None:
    """Name and password; what follows depends."""
    browser.open(address)
    browser.fill(name=MIRA["email"], password=MIRA["password"])
    browser.press("Continue")
