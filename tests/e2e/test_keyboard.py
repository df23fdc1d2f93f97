"""Linking and storage without a mouse: every step by Tab, Space, arrows, Enter, with its ring."""

from __future__ import annotations

from datetime import UTC, datetime

from selenium.webdriver.common.keys import Keys

from tests.e2e.office import Office


def test_a_device_is_linked_without_a_mouse(office: Office) -> None:
    browser = office.open("/link")
    browser.keys("BCDF-BCDF", Keys.ENTER)
    browser.wait_for(lambda: "No device waits with this code" in browser.page, "a refusal")
    browser.keys(Keys.CONTROL + "a", office.filled.waiting_codes[1].lower(), Keys.ENTER)
    browser.wait_for_path("/link/answer")

    browser.tab_to("Back up")
    browser.keys(Keys.ARROW_UP)
    assert browser.find("#kind_restore").is_selected()
    browser.tab_to("ATELIER-01")
    browser.keys(Keys.SPACE)
    browser.tab_to("Approve")
    browser.keys(Keys.ENTER)

    browser.wait_for_path("/devices")
    assert "may go on" in browser.page


def test_a_location_is_added_and_tested_without_a_mouse(office: Office) -> None:
    browser = office.open("/locations")
    browser.tab_to("Add a location")
    browser.keys(Keys.ENTER)
    browser.tab_to("Folder on the console's host")
    browser.keys(Keys.ENTER)
    browser.wait_for_path("/locations/add/folder")
    browser.tab_to("Name")
    browser.keys(Keys.ENTER)
    browser.wait_for(lambda: "This field is required." in browser.page, "a refusal")
    # The field that was refused has the focus already.
    browser.keys("Attic")
    browser.tab_to("Folder")
    browser.keys("attic")
    browser.tab_to("Save and test the connection")
    browser.keys(Keys.ENTER)
    browser.wait_for_path("/locations")
    assert "The connection to Attic works." in browser.page

    browser.tab_to("Test connection: New")
    browser.keys(Keys.ENTER)
    browser.wait_for(lambda: bool(browser.find(".messages .note.bad")), "a failure")


def test_a_vault_is_made_limited_and_brought_back_without_a_mouse(office: Office) -> None:
    browser = office.open("/vaults")
    browser.tab_to("Make a vault")
    browser.keys(Keys.ENTER)
    browser.wait_for_path("/vaults/add")
    browser.tab_to("Name")
    browser.keys("Reception", Keys.ENTER)
    browser.wait_for(lambda: "Reception" in browser.driver.title, "the vault")
    vault = browser.path

    browser.tab_to("Quota in GB")
    browser.keys("250", Keys.ENTER)
    browser.wait_for(lambda: "The limits of the vault were changed." in browser.page, "a message")
    assert "of 250 GB" in browser.page.replace("\xa0", " ")

    browser.tab_to("Bring back")
    browser.keys(Keys.ENTER)
    browser.wait_for_path(f"{vault}/bring-back")
    browser.tab_to("Show what would happen")
    browser.keys(Keys.ENTER)
    browser.wait_for(lambda: "This field is required." in browser.page, "a refusal")
    # The parts of an English date field: month, day, year; hour, minute, second, half.
    # Not before the vault was made.
    moment = datetime.now(UTC)
    browser.keys(f"{moment:%m%d%Y}", Keys.ARROW_RIGHT, f"{moment:%I%M%S%p}", Keys.ENTER)
    browser.wait_for(lambda: "come back" in browser.page, "a plan")
    assert f"{moment:%H:%M:%S} UTC" in browser.page


def test_a_deletion_is_undone_without_a_mouse(office: Office) -> None:
    browser = office.open(office.filled.pages["vault"])
    browser.tab_to("To just before")
    browser.keys(Keys.ENTER)
    browser.wait_for(lambda: "comes back" in browser.page, "a plan")
    browser.tab_to("Bring back the vault")
    browser.keys(Keys.ENTER)
    browser.wait_for(lambda: "The vault is being brought back" in browser.page, "a message")
