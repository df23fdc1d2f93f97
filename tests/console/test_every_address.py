"""What holds for every address of the console, those that are added later included."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from console_ui.audit.models import Entry
from console_ui.restore.urls import PointConverter, ReferenceConverter
from tests.console.people import Office, enrol

# Programs come without a browser's cookies, so that there is nothing to forge: a bearer token or
# an application password is asked instead.
FOR_PROGRAMS = ("/api/", "/oauth/", "/storage/")

_PUBLIC = {
    *("/", "/login/passkey", "/login/code", "/login/key", "/login/recovery", "/login/other"),
    *("/setup", "/invitation", "/password/forgotten", "/password/new", "/logout", "/language"),
    # Leads on to pages that ask for a login.
    "/ui/",
    "/static/x/x",
}


def _addresses() -> list[str]:
    """One address for each pattern, with made-up ids."""
    return [each for each in _all_addresses() if not each.startswith(FOR_PROGRAMS)]


def _addresses_for_programs() -> list[str]:
    return [each for each in _all_addresses() if each.startswith(FOR_PROGRAMS)]


def _all_addresses() -> list[str]:
    return [f"/{path}" for path in _walk(get_resolver().url_patterns, "")]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern)
        for name, converter in each.pattern.converters.items():
            shown = next(t for t in (f"<{c}:{name}>" for c in _KINDS) if t in path)
            path = path.replace(shown, _sample(converter))
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, path)
        else:
            yield path


_KINDS = ("uuid", "uuidstr", "int", "str", "slug", "path", "point", "reference")


def _sample(converter: object) -> str:
    match converter:
        case UUIDConverter():
            return str(uuid.UUID(int=7))
        case IntConverter():
            return "7"
        case ReferenceConverter():
            return "7" * 32
        case PointConverter():
            return "7" * 64
        case _:
            return "x"


def test_the_walk_finds_the_addresses_that_are_known() -> None:
    addresses = _addresses()

    assert {"/people/invite", f"/people/{uuid.UUID(int=7)}/remove", "/"} <= set(addresses)
    assert len(addresses) == len(set(addresses)) >= 40


@pytest.mark.parametrize("token", ["", "x" * 64])
def test_no_address_takes_a_form_without_this_browsers_token(office: Office, token: str) -> None:
    enrol(office.owner)
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.owner)
    before = Entry.objects.count()

    statuses = {
        address: client.post(address, {"csrfmiddlewaretoken": token}).status_code
        for address in _addresses()
    }

    taken = {address: status for address, status in statuses.items() if status != 403}
    # Static files take no form at all.
    assert set(taken) <= {"/static/x/x"}
    assert Entry.objects.count() == before
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_browsers_cookie_alone_changes_nothing_that_is_for_programs(
    office: Office, method: str
) -> None:
    """Another site's page must gain nothing by asking them; it cannot read what a GET answers."""
    enrol(office.owner)
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.owner)
    before = Entry.objects.count()

    statuses = {
        address: client.generic(method.upper(), address).status_code
        for address in _addresses_for_programs()
        if address != "/api/v1/openapi.json"  # the description, for everybody
    }

    assert len(statuses) >= 6
    assert {a: s for a, s in statuses.items() if s not in {400, 401, 403, 404, 405}} == {}
    assert Entry.objects.count() == before


def test_a_stranger_sees_only_what_is_public(db: None) -> None:
    client = Client()

    open_to_all = {a for a in _addresses() if client.get(a).status_code == 200}

    assert open_to_all - _PUBLIC == set()


def test_every_answer_has_the_headers_that_protect_browsers(office: Office) -> None:
    enrol(office.owner)
    client = Client()
    client.force_login(office.owner)

    for address in (*_addresses(), "/there/is/nothing"):
        headers = client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff", address
        assert headers["Referrer-Policy"] == "same-origin", address
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], address
        assert "Strict-Transport-Security" not in headers, address


def test_transport_security_is_promised_only_through_tls(db: None, client: Client) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers
    assert "max-age" in client.get("/", secure=True).headers["Strict-Transport-Security"]
