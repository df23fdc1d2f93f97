"""What templates need beyond Django's own tags; loaded into every one of them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console_ui.web import assets, quantities

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """The address of a static file: ``{% asset "kit.css" %}``."""
    return assets.address(name)


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A picture that words stand beside, so it is hidden from screen readers."""
    address = assets.address("icons.svg")
    return format_html(
        '<svg class="i i{}" aria-hidden="true"><use href="{}#{}"/></svg>', size, address, name
    )


@register.inclusion_tag("field.html")
def field(bound: BoundField, css: str = "") -> dict[str, object]:
    """Label, input, hint and errors of one form field."""
    return {"field": bound, "css": css}


@register.filter(name="bytes")
def bytes_in_words(count: int) -> str:
    """``{{ vault.visible_bytes|bytes }}``: "240 GB"."""
    return quantities.bytes_in_words(count)


@register.filter
def ago(moment: datetime) -> str:
    """``{{ device.seen_at|ago }}``: "2 hours ago", or the date."""
    return quantities.ago(moment)


@register.filter
def at(moment: datetime) -> str:
    """``{{ run.started_at|at }}``: "24 Nov 2026, 03:31"."""
    return quantities.at(moment)


@register.filter
def exactly(moment: datetime) -> str:
    """``{{ point.at|exactly }}``: "Tue 24 Nov 2026, 03:31:07"."""
    return quantities.exactly(moment)


@register.filter
def soon(moment: datetime) -> str:
    """``{{ plan.next_run_at|soon }}``: "Tomorrow, 02:00"."""
    return quantities.soon(moment)


@register.inclusion_tag("space.html")
def space(used: int, limit: int | None) -> dict[str, object]:
    """How much of a limit is used, in words and as a bar; both in bytes."""
    percent = min(100, round(100 * used / limit)) if limit else 0
    return {"used": used, "limit": limit, "percent": percent, "tight": is_tight(used, limit)}


@register.filter
def is_tight(used: int, limit: int | None) -> bool:
    """Whether less than a tenth of the limit is left."""
    return bool(limit) and used * 10 > (limit or 0) * 9
