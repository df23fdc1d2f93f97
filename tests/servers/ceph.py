"""Ceph's object gateway on a cluster of one: S3 over TLS, and the Swift API over plain HTTP.

One monitor, one storage daemon that keeps everything in memory, the gateway.
Authentication between these three is off; they listen on loopback only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tests.servers.authority import Certificates, make_certificates
from tests.servers.process import Command, free_ports, run, running
from tests.servers.programs import find_program
from tests.servers.running import RunningServer

_USER, _SECRET = "ada", "lovelace"


@contextmanager
def ceph(folder: Path) -> Iterator[dict[str, RunningServer]]:
    """Gives ``ceph-s3`` (TLS) and ``ceph-swift`` (login version 1)."""
    certificates = make_certificates(folder)
    monitor_port, http_port, tls_port = free_ports(3)
    cluster = str(uuid4())
    settings = folder / "ceph.conf"
    settings.write_text(
        _cluster_settings(folder, cluster, monitor_port)
        + _gateway_settings(folder, http_port, tls_port, certificates)
    )
    for name in ("monitor", "storage", "gateway"):
        (folder / name).mkdir()

    monitor: Command = [find_program("ceph-mon"), "-c", settings, "-i", "a"]
    storage: Command = [find_program("ceph-osd"), "-c", settings, "-i", "0"]
    gateway: Command = [find_program("radosgw"), "-c", settings, "-n", "client.gateway"]
    members = [find_program("monmaptool"), "--create", "--fsid", cluster, "members"]
    run([*members, "--addv", "a", f"[v2:127.0.0.1:{monitor_port}]"], folder=folder)
    run([*monitor, "--mkfs", "--monmap", folder / "members"], folder=folder)
    with running([*monitor, "-f"], folder=folder) as server:
        server.wait_for_port(monitor_port)
        identity = str(uuid4())
        run([find_program("ceph"), "-c", settings, "osd", "new", identity, "0"], folder=folder)
        run([*storage, "--mkfs", "--osd-uuid", identity], folder=folder)
        with (
            running([*storage, "-f"], folder=folder),
            running([*gateway, "-f"], folder=folder) as server,
        ):
            # Both wait for the storage daemon; the gateway opens its ports when all is made.
            _create_user(settings, folder)
            server.wait_for_port(http_port)
            yield _doors(http_port, tls_port, certificates)


def _create_user(settings: Path, folder: Path) -> None:
    admin: Command = [find_program("radosgw-admin"), "-c", settings, "-n", "client.gateway"]
    who = ["--uid", _USER, "--access-key", _USER, "--secret-key", _SECRET]
    run([*admin, "user", "create", *who, "--display-name", "Ada"], folder=folder)
    swift = ["--uid", _USER, "--subuser", f"{_USER}:swift", "--access", "full"]
    run([*admin, "subuser", "create", *swift, "--secret-key", _SECRET], folder=folder)


def _doors(http_port: int, tls_port: int, certificates: Certificates) -> dict[str, RunningServer]:
    return {
        "ceph-s3": RunningServer(
            f"s3:https://127.0.0.1:{tls_port}/{{name}}",
            {"AWS_ACCESS_KEY_ID": _USER, "AWS_SECRET_ACCESS_KEY": _SECRET},
            certificates.authority,
        ),
        "ceph-swift": RunningServer(
            "swift:{name}:/",
            {
                "ST_AUTH": f"http://127.0.0.1:{http_port}/auth/v1.0",
                "ST_USER": f"{_USER}:swift",
                "ST_KEY": _SECRET,
            },
        ),
    }


def _cluster_settings(folder: Path, cluster: str, monitor_port: int) -> str:
    return f"""\
[global]
fsid = {cluster}
mon_host = v2:127.0.0.1:{monitor_port}
public_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
log_to_stderr = true
run_dir = {folder}
admin_socket =
# One copy of everything is all that one storage daemon can keep.
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
mon_allow_pool_size_one = true

[mon]
mon_data = {folder}/monitor
# The free space of the machine's disk is no matter here.
mon_data_avail_warn = 0
mon_data_avail_crit = 0

[osd]
osd_data = {folder}/storage
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_class_load_list = *
osd_class_default_list = *
"""


def _gateway_settings(
    folder: Path, http_port: int, tls_port: int, certificates: Certificates
) -> str:
    return f"""\
[client.gateway]
rgw_data = {folder}/gateway
rgw_frontends = beast endpoint=127.0.0.1:{http_port} ssl_endpoint=127.0.0.1:{tls_port} \
ssl_certificate={certificates.certificate} ssl_private_key={certificates.key}
rgw_enable_usage_log = false
# The gateway alone asks for encryption to the monitor, which there is not without authentication.
ms_mon_client_mode = crc
"""
