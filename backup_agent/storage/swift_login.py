"""How to log in to Swift, as the environment says it: ``ST_*`` for tempauth, ``OS_*`` for Keystone.

The variables are those of the OpenStack clients, and of restic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.identity.v3 import ApplicationCredential, Password
from keystoneauth1.session import Session
from swiftclient.client import Connection

from backup_agent.errors import UsageError

VARIABLES = "ST_AUTH, ST_USER and ST_KEY, or the OS_* variables"

_TIMEOUT_SECONDS = 60
_DEFAULT_DOMAIN = "default"  # the id of the domain that every Keystone is born with


def connector(environment: Mapping[str, str], cacert: Path | None) -> Callable[[], Connection]:
    """A function that makes a connection ready to use. Raises ``UsageError``."""
    if environment.get("ST_AUTH"):
        return _tempauth(environment, cacert)
    if environment.get("OS_AUTH_URL"):
        return _keystone(environment, cacert)
    raise UsageError(
        "Swift needs to know where and as whom to log in.",
        hint="Set ST_AUTH, ST_USER and ST_KEY; or OS_AUTH_URL with OS_APPLICATION_CREDENTIAL_ID "
        "and OS_APPLICATION_CREDENTIAL_SECRET, or with OS_USERNAME, OS_PASSWORD and "
        "OS_PROJECT_NAME.",
    )


def _tempauth(environment: Mapping[str, str], cacert: Path | None) -> Callable[[], Connection]:
    url, user, key = (_required(environment, name) for name in ("ST_AUTH", "ST_USER", "ST_KEY"))
    return lambda: Connection(
        authurl=url,
        user=user,
        key=key,
        auth_version="1",
        cacert=str(cacert) if cacert else None,
        timeout=_TIMEOUT_SECONDS,
        # One more try renews a token that has expired; patience is RetryingBackend's.
        retries=1,
        starting_backoff=0,
    )


def _keystone(environment: Mapping[str, str], cacert: Path | None) -> Callable[[], Connection]:
    ca = str(cacert) if cacert else None
    # One session for all connections: it holds the token, and renews it for all of them.
    session = Session(auth=_identity(environment), verify=ca or True, timeout=_TIMEOUT_SECONDS)
    where = {
        "region_name": environment.get("OS_REGION_NAME") or None,
        "endpoint_type": environment.get("OS_INTERFACE")
        or environment.get("OS_ENDPOINT_TYPE")
        or "public",
    }
    return lambda: Connection(
        session=session,
        os_options=where,
        auth_version="3",
        cacert=ca,
        timeout=_TIMEOUT_SECONDS,
        retries=1,
        starting_backoff=0,
    )


def _identity(environment: Mapping[str, str]) -> BaseIdentityPlugin:
    url = _version_3(_required(environment, "OS_AUTH_URL"))
    user_id = environment.get("OS_USER_ID") or None
    name = environment.get("OS_USERNAME") or None
    domain = _Domain.of("USER", environment)
    credential_id = environment.get("OS_APPLICATION_CREDENTIAL_ID") or None
    credential_name = environment.get("OS_APPLICATION_CREDENTIAL_NAME") or None
    if credential_id or credential_name:
        secret = _required(environment, "OS_APPLICATION_CREDENTIAL_SECRET")
        if credential_id:
            return ApplicationCredential(url, secret, application_credential_id=credential_id)
        # A credential's name is only unique among those of its user.
        return ApplicationCredential(
            url,
            secret,
            application_credential_name=credential_name,
            user_id=user_id,
            username=name,
            user_domain_id=domain.id,
            user_domain_name=domain.name,
        )
    project = _Domain.of("PROJECT", environment)
    return Password(
        url,
        user_id=user_id,
        username=name if user_id else _required(environment, "OS_USERNAME"),
        password=_required(environment, "OS_PASSWORD"),
        user_domain_id=domain.id,
        user_domain_name=domain.name,
        project_id=_first(environment, "OS_PROJECT_ID", "OS_TENANT_ID"),
        project_name=_first(environment, "OS_PROJECT_NAME", "OS_TENANT_NAME"),
        project_domain_id=project.id,
        project_domain_name=project.name,
    )


@dataclass(frozen=True, slots=True)
class _Domain:
    """Where a user's or project's name is unique; Keystone takes the id or the name."""

    id: str | None
    name: str | None

    @classmethod
    def of(cls, whose: str, environment: Mapping[str, str]) -> _Domain:
        name = _first(environment, f"OS_{whose}_DOMAIN_NAME", "OS_DOMAIN_NAME")
        by_id = _first(environment, f"OS_{whose}_DOMAIN_ID", "OS_DOMAIN_ID")
        return cls(by_id, name) if by_id or name else cls(_DEFAULT_DOMAIN, None)


def _version_3(url: str) -> str:
    """Providers publish the address with and without its version."""
    url = url.rstrip("/")
    return url if urlsplit(url).path.rpartition("/")[2].startswith("v") else f"{url}/v3"


def _first(environment: Mapping[str, str], *names: str) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UsageError(f"{name} is not set.", hint=f"Swift needs {VARIABLES}.")
    return value
