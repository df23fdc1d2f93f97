"""Keeping a storage client out of networks where it has no business (CWE-918, SSRF).

Where somebody else types an address, as the console's administrators do, a name may lead to
the host's own services or to a cloud's metadata address, at once, after a redirect, or only
the second time it is looked up. So it is not names that are checked: the interpreter tells of
every connection (PEP 578) just before it is made, with the very address it is made to.

A refusal is remembered, because client libraries wrap the error in one of their own, which
would read like a network that is down, and be tried again.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias, TypeVar

from backup_agent.errors import AccessDeniedError
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey

Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address
_T = TypeVar("_T")

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
# Counted as global by ``ipaddress``, though none of them is on the Internet.
_NOWHERE = (
    ip_network("::/96"),  # RFC 4291, 2.5.5.1: an IPv4 address in disguise, long deprecated
    ip_network("64:ff9b:1::/48"),  # RFC 8215: NAT64 within one network, to whatever it chooses
    ip_network("fec0::/10"),  # RFC 3879: what was site-local
)
_LOW_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """The public Internet, and ``allowed`` networks beyond it."""

    allowed: tuple[Network, ...] = ()

    def permits(self, text: str) -> bool:
        """Whether a connection may be made to this IP address."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return all(self._permits(each) for each in _meant(address))

    def _permits(self, address: _Address) -> bool:
        if any(address in network for network in self.allowed):
            return True
        if any(address in network for network in _NOWHERE):
            return False
        return address.is_global and not address.is_multicast


def _meant(address: _Address) -> tuple[_Address, ...]:
    """The address, or the IPv4 addresses that an IPv6 one stands for."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64:
        return (IPv4Address(int(address) & _LOW_32_BITS),)
    return (address,)


class ConfinedBackend:
    """Passes everything on, under a policy. It belongs inside the retries: a refusal is final."""

    def __init__(self, inner: Backend, policy: EgressPolicy) -> None:
        self._inner = inner
        self._policy = policy

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._confined(self._inner.prepare)

    def save(self, key: ObjectKey, data: Data) -> None:
        self._confined(lambda: self._inner.save(key, data))

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._confined(lambda: self._inner.load(key, offset, length))

    def size(self, key: ObjectKey) -> int:
        return self._confined(lambda: self._inner.size(key))

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        listing = self._inner.list(kind)
        # Whoever reads the listing may connect elsewhere between two lines of it.
        while (info := self._confined(lambda: next(listing, None))) is not None:
            yield info

    def remove(self, key: ObjectKey) -> None:
        self._confined(lambda: self._inner.remove(key))

    def sweep(self) -> int:
        return self._confined(self._inner.sweep)

    def close(self) -> None:
        self._inner.close()

    def _confined(self, work: Callable[[], _T]) -> _T:
        with confined(self._policy, self.location):
            return work()


@contextlib.contextmanager
def confined(policy: EgressPolicy, location: str) -> Iterator[None]:
    """Hold this thread's connections to the policy.

    Raises ``AccessDeniedError`` naming ``location`` instead of whatever came of a refusal.
    """
    _watch()
    outer, _thread.scope = getattr(_thread, "scope", None), _Scope(policy)
    scope = _thread.scope
    try:
        yield
    # Each library wraps the refusal in an error of its own; without a refusal it goes on up.
    except Exception as exc:
        if scope.was_refused:
            raise _refusal(location) from exc
        raise
    finally:
        _thread.scope = outer
    if scope.was_refused:
        # A library tried another address of the same name, or gave an empty answer instead.
        raise _refusal(location)


@dataclass(slots=True)
class _Scope:
    policy: EgressPolicy
    was_refused: bool = False


class _ForbiddenError(OSError):
    """An OSError, so that libraries clean up as after any connection that failed."""


_thread = threading.local()


@cache
def _watch() -> None:
    """Ask to be told of connections, once: a hook cannot be taken back."""
    sys.addaudithook(_before)


def _before(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect":
        return
    scope: _Scope | None = getattr(_thread, "scope", None)
    if scope is None:
        return
    address = arguments[1]
    # Not a tuple: a socket of this host's own, which no address of a storage leads to.
    host = address[0] if isinstance(address, tuple) else ""
    if not isinstance(host, str) or not scope.policy.permits(host):
        scope.was_refused = True
        raise _ForbiddenError(f"no connections to {host} from here")


def _refusal(location: str) -> AccessDeniedError:
    return AccessDeniedError(
        f"{location} leads into a private network, or to this host itself.",
        hint="Check the address. Whoever starts the console can allow a network "
        "with --storage-network.",
    )
