"""What a test needs to know of a server that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

_SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "ST_KEY",
    "OS_PASSWORD",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "EVERBOOT_REST_PASSWORD",
    "EVERBOOT_WEBDAV_PASSWORD",
)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """One door of a running server.

    ``form`` is a repository address with ``{name}`` where a bucket, container
    or folder goes. ``environment`` holds the credentials and, for Swift, the
    address to log in at; ``cacert`` the private authority where TLS is spoken.
    """

    form: str
    environment: Mapping[str, str] = field(repr=False)
    cacert: Path | None = None

    @property
    def address(self) -> str:
        """A repository address that works."""
        return self.at("everboot")

    def at(self, name: str) -> str:
        """The address of a place of its own: another bucket, container or folder."""
        return self.form.format(name=name)

    @property
    def origin(self) -> str:
        """The server's ``http://host:port``, or where one logs in when the address has none."""
        login = self.environment.get("ST_AUTH") or self.environment.get("OS_AUTH_URL")
        url = urlsplit(login or self.form.partition(":")[2])
        return f"{url.scheme}://{url.netloc}"

    def through(self, origin: str) -> RunningServer:
        """The same door, reached by way of a proxy at ``origin``."""
        return replace(
            self,
            form=self.form.replace(self.origin, origin),
            environment={k: v.replace(self.origin, origin) for k, v in self.environment.items()},
        )

    def with_wrong_secret(self) -> RunningServer:
        """The same door with a password that the server does not know."""
        return replace(
            self,
            environment={k: "wrong" if k in _SECRETS else v for k, v in self.environment.items()},
        )
