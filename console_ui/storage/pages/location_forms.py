"""What an administrator fills in, by what is spoken at the location."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console_ui.django_settings import console_settings
from console_ui.storage.models import Location, LocationKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    _Group: TypeAlias = tuple[StrOrPromise, tuple[str, ...]]


def web_address(text: str) -> None:
    """Raises ``ValidationError`` for what is no address, or holds a password."""
    try:
        url = urlsplit(text)
        _port = url.port
    except ValueError as exc:
        raise ValidationError(_("This is no address.")) from exc
    if url.scheme not in {"https", "http"} or not url.hostname:
        raise ValidationError(_("It begins with https:// (or http://) and a host."))
    if url.username or url.password:
        raise ValidationError(_("Name and password have fields of their own."))


def inner_path(text: str) -> None:
    """Raises ``ValidationError`` for a path that leads out of where it begins."""
    if ".." in PurePosixPath(text).parts or "\0" in text or text.startswith("/"):
        raise ValidationError(_("Names separated by /, nothing else."))


def single_name(text: str) -> None:
    """Raises ``ValidationError`` for more than one name."""
    if set(text) & set("/\\:\0") or text in {".", ".."}:
        raise ValidationError(_("One name, without / and colon."))


def _optional(label: StrOrPromise, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=300, **options)


def _secret(label: StrOrPromise) -> forms.CharField:
    """Never shown again: left empty, what was there stays, as long as server and user do."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return _optional(label, widget=widget)


class LocationForm(forms.Form):
    """What all locations have. ``parted`` are the fields that belong together under a legend,
    ``needed_at_first`` those that may be left empty only when a location is changed.
    """

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("What people see of the place, for instance: Cellar."),
    )
    parted: ClassVar[tuple[_Group, ...]] = ()
    needed_at_first: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if is_new:
            for name in self.needed_at_first:
                self.fields[name].required = True
        for field in self.fields.values():
            # A browser would offer the person's own name and password.
            field.widget.attrs.setdefault("autocomplete", "off")

    @property
    def is_possible(self) -> bool:
        """Whether the console may use such a place at all."""
        return True

    @property
    def has_secrets(self) -> bool:
        return any(isinstance(f.widget, forms.PasswordInput) for f in self.fields.values())

    def groups(self) -> Iterator[tuple[StrOrPromise, list[BoundField]]]:
        """The text fields in their order; those that belong together with their legend."""
        apart = {name for _legend, names in self.parted for name in names}
        plain = [each for each in self if each.name not in apart and not _is_box(each)]
        yield "", plain
        for legend, names in self.parted:
            yield legend, [self[name] for name in names]


def _is_box(bound: BoundField) -> bool:
    return isinstance(bound.field, forms.BooleanField)


class _RemoteForm(LocationForm):
    gives_read_addresses = forms.BooleanField(
        label=gettext_lazy("Everboot on devices may read from the storage itself"),
        required=False,
        help_text=gettext_lazy(
            "Restores are faster: the console hands out addresses that can be read for 15 minutes."
        ),
    )


class S3Form(_RemoteForm):
    endpoint = forms.CharField(
        label=gettext_lazy("Server"),
        validators=[web_address],
        help_text=gettext_lazy("It begins with https://"),
    )
    bucket = forms.CharField(label=gettext_lazy("Bucket"), validators=[single_name])
    path = _optional(gettext_lazy("Folder in the bucket"), validators=[inner_path])
    region = _optional(
        gettext_lazy("Region"), help_text=gettext_lazy("Empty where the provider names none.")
    )
    access_key = forms.CharField(label=gettext_lazy("Access key"), max_length=300)
    secret_key = _secret(gettext_lazy("Secret key"))
    needed_at_first = ("secret_key",)


class SwiftForm(_RemoteForm):
    auth_url = forms.CharField(
        label=gettext_lazy("Login server (Keystone)"),
        validators=[web_address],
        help_text=gettext_lazy("It begins with https://"),
    )
    container = forms.CharField(label=gettext_lazy("Container"), validators=[single_name])
    path = _optional(gettext_lazy("Folder in the container"), validators=[inner_path])
    region = _optional(gettext_lazy("Region"))
    application_credential_id = _optional(gettext_lazy("Id"))
    application_credential_secret = _secret(gettext_lazy("Secret"))
    username = _optional(gettext_lazy("User name"))
    password = _secret(gettext_lazy("Password"))
    project = _optional(gettext_lazy("Project"))
    user_domain = _optional(gettext_lazy("Domain of the user"))
    project_domain = _optional(gettext_lazy("Domain of the project"))
    parted = (
        (
            gettext_lazy("Log in with an application credential"),
            ("application_credential_id", "application_credential_secret"),
        ),
        (
            gettext_lazy("Or with a user of a project"),
            ("username", "password", "project", "user_domain", "project_domain"),
        ),
    )


class WebdavForm(LocationForm):
    url = forms.CharField(label=gettext_lazy("Address of the folder"), validators=[web_address])
    username = _optional(gettext_lazy("User name"))
    password = _secret(gettext_lazy("Password"))


class FolderForm(LocationForm):
    root = forms.ChoiceField(label=gettext_lazy("Below"), choices=list)
    folder = _optional(
        gettext_lazy("Folder"),
        validators=[inner_path],
        help_text=gettext_lazy("Made if it is not there."),
    )

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, is_new=is_new, **options)
        roots = [str(root) for root in console_settings().storage_roots]
        root = self.fields["root"]
        assert isinstance(root, forms.ChoiceField)
        root.choices = [(root, root) for root in roots]

    @property
    def is_possible(self) -> bool:
        return bool(console_settings().storage_roots)


_FORMS: dict[LocationKind, type[LocationForm]] = {
    LocationKind.S3: S3Form,
    LocationKind.SWIFT: SwiftForm,
    LocationKind.WEBDAV: WebdavForm,
    LocationKind.FOLDER: FolderForm,
}


def form_of(kind: LocationKind) -> type[LocationForm]:
    return _FORMS[kind]


def initial_of(location: Location) -> dict[str, object]:
    """What the form shows of a location: no secrets."""
    return {
        **location.settings,
        "name": location.name,
        "gives_read_addresses": location.gives_read_addresses,
    }
