"""A small OpenStack Swift: one device, one replica, one proxy with the authentication asked for.

A plain folder serves as the device, since ext4, xfs and tmpfs keep the
extended attributes Swift needs. The replicators and auditors are left out:
with one replica there is nothing for them to do, and they would read the
machine's own /etc/swift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from tests.servers.environments import environment
from tests.servers.process import Command, Server, free_ports, run, running
from tests.servers.programs import find_program

_RINGED = ("account", "container", "object")


@dataclass(frozen=True, slots=True)
class Authentication:
    """The filters between the client and the proxy's own part, and their settings."""

    pipeline: tuple[str, ...]
    filters: Mapping[str, Mapping[str, str]]


@contextmanager
def swift_cluster(folder: Path, port: int, authentication: Authentication) -> Iterator[Server]:
    """A Swift whose proxy listens on ``port``; gives the proxy when all of it is up."""
    cache_port, *ports = free_ports(1 + len(_RINGED))
    (folder / "devices" / "disk").mkdir(parents=True)
    _write(folder / "swift.conf", _cluster_settings())
    for kind, ring_port in zip(_RINGED, ports, strict=True):
        _make_ring(folder, kind, ring_port)
        _write(folder / f"{kind}.conf", _storage_settings(folder, kind, ring_port))
    proxy_settings = _proxy_settings(folder, port, cache_port, authentication)
    _write(folder / "proxy.conf", proxy_settings)

    with ExitStack() as stack:
        memcached = [find_program("memcached"), "-l", "127.0.0.1", "-p", str(cache_port)]
        waiting = [
            (stack.enter_context(running([*memcached, "-u", getuser()], folder=folder)), cache_port)
        ]
        for kind, its_port in [*zip(_RINGED, ports, strict=True), ("proxy", port)]:
            program = environment("openstack") / f"swift-{kind}-server"
            # Verbose: to standard error, which is our log, and not to syslog alone.
            server = running([program, folder / f"{kind}.conf", "--verbose"], folder=folder)
            waiting.append((stack.enter_context(server), its_port))
        for each, its_port in waiting:
            each.wait_for_port(its_port)
        yield waiting[-1][0]


def _make_ring(folder: Path, kind: str, port: int) -> None:
    ring: Command = [environment("openstack") / "swift-ring-builder", f"{kind}.builder"]
    # 2^4 partitions, one replica, no waiting between changes.
    run([*ring, "create", "4", "1", "0"], folder=folder)
    run([*ring, "add", f"r1z1-127.0.0.1:{port}/disk", "1"], folder=folder)
    run([*ring, "rebalance"], folder=folder)


def _cluster_settings() -> dict[str, Mapping[str, str]]:
    return {
        "swift-hash": {"swift_hash_path_prefix": "everboot", "swift_hash_path_suffix": "tests"},
        "storage-policy:0": {"name": "only", "default": "yes"},
    }


def _storage_settings(folder: Path, kind: str, port: int) -> dict[str, Mapping[str, str]]:
    return {
        "DEFAULT": _serving(folder, port)
        | {
            "devices": str(folder / "devices"),
            "mount_check": "false",
            "fallocate_reserve": "0",
        },
        "pipeline:main": {"pipeline": f"{kind}-server"},
        f"app:{kind}-server": {"use": f"egg:swift#{kind}"},
    }


def _proxy_settings(
    folder: Path, port: int, cache_port: int, authentication: Authentication
) -> dict[str, Mapping[str, str]]:
    around = ("catch_errors", "gatekeeper", "cache", "listing_formats")
    within = ("copy", "slo", "dlo")
    pipeline = (*around, *authentication.pipeline, *within, "proxy-server")
    plain = {f"filter:{name}": {"use": f"egg:swift#{name}"} for name in (*around, *within)}
    return {
        "DEFAULT": _serving(folder, port),
        "pipeline:main": {"pipeline": " ".join(pipeline)},
        **plain,
        "filter:cache": {
            "use": "egg:swift#memcache",
            "memcache_servers": f"127.0.0.1:{cache_port}",
        },
        **{f"filter:{name}": settings for name, settings in authentication.filters.items()},
        "app:proxy-server": {
            "use": "egg:swift#proxy",
            "account_autocreate": "true",
            "allow_account_management": "true",
        },
    }


def _serving(folder: Path, port: int) -> dict[str, str]:
    return {
        "bind_ip": "127.0.0.1",
        "bind_port": str(port),
        "swift_dir": str(folder),
        "user": getuser(),
        "workers": "0",
        # Keep out of the machine's syslog.
        "log_address": str(folder / "no-syslog"),
    }


def _write(file: Path, sections: Mapping[str, Mapping[str, str]]) -> None:
    """An ini file; paste.deploy wants ``use`` first in its section, as the dicts have it."""
    lines = []
    for section, settings in sections.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in settings.items()), ""]
    file.write_text("\n".join(lines))
