"""OpenStack Swift behind Keystone: version 3 logins by password and by application credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import cast

from cryptography.fernet import Fernet
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from tests.servers.environments import cached, environment
from tests.servers.process import Command, free_ports, run, running
from tests.servers.running import RunningServer
from tests.servers.swift_cluster import Authentication, swift_cluster

_ADMIN_PASSWORD = "operator"
_USER, _PASSWORD, _PROJECT = "ada", "lovelace", "office"
_REGION = "RegionOne"
_DOMAIN = "default"  # the id of the domain that the bootstrap makes, called Default

# Keystone reads the command line when it is imported, and refuses what waitress-serve is given.
_SERVE = """
import sys
port = sys.argv.pop()
from keystone.wsgi.api import application
from waitress import serve
serve(application, listen=f"127.0.0.1:{port}")
"""


@contextmanager
def keystone(folder: Path) -> Iterator[dict[str, RunningServer]]:
    """Gives ``keystone-password`` and ``keystone-application-credential``."""
    keystone_port, swift_port = free_ports(2)
    url = f"http://127.0.0.1:{keystone_port}/v3"
    settings = _prepare(folder, url)
    waitress: Command = [environment("openstack") / "python", "-c", _SERVE, str(keystone_port)]
    where = {"OS_KEYSTONE_CONFIG_FILES": str(settings)}
    with (
        running(waitress, folder=folder, name="keystone", environment=where) as server,
        swift_cluster(folder, swift_port, _authentication(url)),
    ):
        server.wait_for_port(keystone_port)
        _announce_swift(url, swift_port)
        _create_user(url)
        yield {
            "keystone-password": RunningServer("swift:{name}:/", _password_login(url)),
            "keystone-application-credential": RunningServer(
                "swift:{name}:/", _create_application_credential(url)
            ),
        }


def _prepare(folder: Path, url: str) -> Path:
    """A database with the administrator in it and token keys; the settings file."""
    tables = cached("keystone-tables", _recipe(), _create_tables) / "keystone.sqlite"
    copyfile(tables, folder / "keystone.sqlite")
    settings = _write_settings(folder)
    manage: Command = [environment("openstack") / "keystone-manage", "--config-file", settings]
    bootstrap = ["--bootstrap-public-url", url, "--bootstrap-region-id", _REGION]
    password = {"OS_BOOTSTRAP_PASSWORD": _ADMIN_PASSWORD}
    _write_token_keys(folder / "fernet")
    run([*manage, "bootstrap", *bootstrap], folder=folder, environment=password)
    return settings


def _write_token_keys(folder: Path) -> None:
    """The key that signs tokens, and 0, the one to follow it; Keystone wants both."""
    folder.mkdir(mode=0o700)
    for number in (0, 1):
        file = folder / str(number)
        file.touch(mode=0o600)
        file.write_bytes(Fernet.generate_key())


def _recipe() -> str:
    return Path(__file__).with_name("openstack.txt").read_text()


def _create_tables(folder: Path) -> None:
    """Ten seconds of migrations that end the same each time: worth a cache."""
    settings = _write_settings(folder)
    run(
        [environment("openstack") / "keystone-manage", "--config-file", settings, "db_sync"],
        folder=folder,
    )


def _write_settings(folder: Path) -> Path:
    settings = folder / "keystone.conf"
    settings.write_text(
        f"""\
[database]
connection = sqlite:///{folder}/keystone.sqlite
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[cache]
enabled = false
[identity]
# The least bcrypt allows: each login would cost a third of a second.
password_hash_rounds = 4
"""
    )
    return settings


def _authentication(url: str) -> Authentication:
    return Authentication(
        pipeline=("authtoken", "keystoneauth"),
        filters={
            "authtoken": {
                "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
                "www_authenticate_uri": url,
                "auth_url": url,
                "auth_type": "password",
                "username": "admin",
                "password": _ADMIN_PASSWORD,
                "project_name": "admin",
                "user_domain_id": _DOMAIN,
                "project_domain_id": _DOMAIN,
                "interface": "public",
                "cache": "swift.cache",
                # Without these two, application credentials with access rules end in status 500.
                "include_service_catalog": "true",
                "service_type": "object-store",
            },
            "keystoneauth": {"use": "egg:swift#keystoneauth", "operator_roles": "admin, member"},
        },
    )


def _announce_swift(url: str, swift_port: int) -> None:
    service = _create(url, "service", {"name": "swift", "type": "object-store"})
    public = f"http://127.0.0.1:{swift_port}/v1/AUTH_$(project_id)s"
    _create(
        url,
        "endpoint",
        {"service_id": service, "interface": "public", "region_id": _REGION, "url": public},
    )


def _create_user(url: str) -> None:
    project = _create(url, "project", {"name": _PROJECT, "domain_id": _DOMAIN})
    user = _create(url, "user", {"name": _USER, "password": _PASSWORD, "domain_id": _DOMAIN})
    admin = _session(url, "admin", _ADMIN_PASSWORD, "admin")
    (role,) = admin.get("/roles?name=member").json()["roles"]
    admin.put(f"/projects/{project}/users/{user}/roles/{role['id']}")


def _create_application_credential(url: str) -> dict[str, str]:
    """A credential the user makes for one program; the environment to use it."""
    ada = _session(url, _USER, _PASSWORD, _PROJECT)
    path = f"/users/{ada.get_user_id()}/application_credentials"
    body = {"application_credential": {"name": "everboot"}}
    credential = ada.post(path, json=body).json()["application_credential"]
    return {
        "OS_AUTH_TYPE": "v3applicationcredential",
        "OS_AUTH_URL": url,
        "OS_APPLICATION_CREDENTIAL_ID": credential["id"],
        "OS_APPLICATION_CREDENTIAL_SECRET": credential["secret"],
        "OS_REGION_NAME": _REGION,
    }


def _password_login(url: str) -> dict[str, str]:
    return {
        "OS_AUTH_URL": url,
        "OS_USERNAME": _USER,
        "OS_PASSWORD": _PASSWORD,
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_NAME": _PROJECT,
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": _REGION,
    }


def _create(url: str, kind: str, values: Mapping[str, str]) -> str:
    """Make one of Keystone's things as the administrator; its id."""
    admin = _session(url, "admin", _ADMIN_PASSWORD, "admin")
    answer = admin.post(f"/{kind}s", json={kind: dict(values)}).json()
    return cast(str, answer[kind]["id"])


def _session(url: str, user: str, password: str, project: str) -> Adapter:
    login = Password(
        auth_url=url,
        username=user,
        password=password,
        project_name=project,
        user_domain_id=_DOMAIN,
        project_domain_id=_DOMAIN,
    )
    return Adapter(Session(auth=login), endpoint_override=url)
