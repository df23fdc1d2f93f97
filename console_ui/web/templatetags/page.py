"""What templates need beyond Django's own tags; loaded into every one of them."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console_ui.web import assets

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
