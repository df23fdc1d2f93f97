"""What is wrong with the page that a browser shows, for people who see it, hear it or zoom it.

Each check gives the flaws it finds as sentences; none finds fault with taste.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from selenium.webdriver.common.by import By

from tests.e2e.browser import Browser

# Roles that say nothing without a name.
_NAMED = frozenset(
    {
        *("button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "Date"),
        *("navigation", "search", "img", "DisclosureTriangle", "menuitem", "columnheader"),
        *("spinbutton", "InputTime", "DateTime", "radiogroup"),
    }
)
# In every date field, put there by the browser.
_BROWSERS_OWN = "Show date picker"
# CSS pixels and scale: a small phone, a window 1280 wide at 200 %, a desk, a wide screen.
_WINDOWS = ((320, 1.0), (640, 2.0), (1280, 1.0), (2560, 1.0))

# Sideways scrolling, and what hangs out of the window even where nothing scrolls.
_OVERHANGING = """
const width = document.documentElement.clientWidth;
const found = [];
if (document.documentElement.scrollWidth > width) found.push("the page");
for (const each of document.querySelectorAll("main *")) {
  const box = each.getBoundingClientRect();
  const scrolls = each.closest(".tabs, .visually-hidden, details:not([open]) > :not(summary)");
  if (box.width && box.height && !scrolls && box.right > width + 1) found.push(each.outerHTML);
}
return found.slice(0, 3).map((html) => html.slice(0, 100));
"""

# Controls that lie on each other: one of the two cannot be pressed, or read.
_OVERLAPPING = """
const shown = [...document.querySelectorAll("main :is(a, button, input, select, summary)")]
  .filter((each) => each.checkVisibility() && !each.closest("details:not([open]) > :not(summary)"))
  .filter((each) => !each.classList.contains("visually-hidden") && each.type !== "hidden")
  .map((each) => [each, each.getBoundingClientRect()]);
const found = [];
for (const [one, a] of shown) for (const [other, b] of shown) {
  if (one === other || one.contains(other) || other.contains(one)) continue;
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const names = [one, other].map((each) => each.textContent.trim());
  if (across > 2 && down > 2) found.push(names.join(" on "));
}
return found.slice(0, 3);
"""

# Menus, opened: what hangs out to the left cannot even be scrolled to.
_CUT_MENUS = """
const found = [];
for (const menu of document.querySelectorAll("details.menu")) {
  menu.open = true;
  const box = menu.lastElementChild.getBoundingClientRect();
  if (box.left < 0 || box.right > document.documentElement.clientWidth) {
    found.push(menu.textContent.trim());
  }
  menu.open = false;
}
return found.slice(0, 3);
"""

# Fingers need 44 pixels. A box to tick is pressed by its label; a link in a text is exempt.
_SMALL = """
const fields = "input:not([type=checkbox], [type=radio], [type=hidden])";
const controls = `button:not(.link), .btn, select, summary, ${fields}`;
return [...document.querySelectorAll(controls)]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden"))
  .filter((each) => each.getBoundingClientRect().height < 44)
  .slice(0, 3).map((each) => each.outerHTML.slice(0, 100));
"""

# WCAG 2.2: 4.5, or 3 for large text. Disabled controls are exempt; so are pictures of codes.
_FAINT = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const channel = (value) => linear(value / 255);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
function ground(element) {
  for (let each = element; each; each = each.parentElement) {
    const [r, g, b, a = 1] = parts(getComputedStyle(each).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
}
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
  if (element.closest(":disabled, .visually-hidden, .skip, script, style, option")) continue;
  const style = getComputedStyle(element);
  const [one, other] = [light(parts(style.color)), light(ground(element))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 600);
  if (contrast < (large ? 3 : 4.5)) {
    found.push(`${contrast.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 60)}`);
  }
}
return found.slice(0, 3);
"""

_LEVELS = """
return [...document.querySelectorAll("h1, h2, h3, h4")]
  .filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]));
"""

_FOREIGN = """
return performance.getEntriesByType("resource").map((each) => each.name)
  .filter((name) => !name.startsWith(location.origin + "/") && !name.startsWith("data:"));
"""


def flaws_of(browser: Browser) -> list[str]:
    """All flaws of the page that is open, in windows of several sizes, in light and dark."""
    found = [*_unheard(browser), *_disordered(browser), *_foreign(browser)]
    for theme in ("light", "dark"):
        browser.prefer(theme)
        found += [f"too faint in {theme}: {text}" for text in _ask(browser, _FAINT)]
    for width, scale in _WINDOWS:
        browser.resize(width, 900, scale=scale)
        found += [f"wider than {width}: {what}" for what in _ask(browser, _OVERHANGING)]
        found += [f"overlapping at {width}: {what}" for what in _ask(browser, _OVERLAPPING)]
    browser.resize(_WINDOWS[0][0], 900)
    found += [f"menu cut off: {what}" for what in _ask(browser, _CUT_MENUS)]
    found += [f"too small for a finger: {what}" for what in _ask(browser, _SMALL)]
    browser.resize(1280, 900)
    return found


def _unheard(browser: Browser) -> Iterator[str]:
    """What somebody who hears the page would miss, as the accessibility tree has it."""
    browser.driver.execute_cdp_cmd("Accessibility.enable", {})
    tree = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    nodes = [(_ax(n, "role"), _ax(n, "name")) for n in tree["nodes"] if not n["ignored"]]
    for role, name in nodes:
        if role in _NAMED and not name:
            yield f"{role} without a name"
    buttons = Counter(name for role, name in nodes if role == "button")
    twice = [name for name, times in buttons.items() if times > 1]
    for name in (name for name in twice if not name.startswith(_BROWSERS_OWN)):
        yield f"which {name!r} is meant, only the eye can tell"
    if [role for role, _name in nodes].count("main") != 1:
        yield "not one main part"
    html = browser.driver.find_element(By.TAG_NAME, "html")
    if not html.get_attribute("lang") or not browser.driver.title.partition(" · ")[0].strip():
        yield "no language or title"


def _disordered(browser: Browser) -> Iterator[str]:
    """Headings that skip a level, or not one first heading at the beginning."""
    levels = browser.driver.execute_script(_LEVELS)
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"not one first heading: {levels}"
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield f"headings skip a level: {levels}"


def _foreign(browser: Browser) -> Iterator[str]:
    for address in _ask(browser, _FOREIGN):
        yield f"asked another origin: {address}"


def _ask(browser: Browser, script: str) -> list[str]:
    return [str(each) for each in browser.driver.execute_script(script)]


def _ax(node: dict[str, dict[str, str]], field: str) -> str:
    """A field of a node of the accessibility tree."""
    return node.get(field, {}).get("value", "")
