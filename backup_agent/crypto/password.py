"""From a password to a key: scrypt (RFC 7914), with parameters kept in the key file."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backup_agent.crypto.cipher import MasterKey
from backup_agent.errors import IntegrityError

_MEMORY_LIMIT = 1 << 30
_WORK_LIMIT = 1 << 34


@dataclass(frozen=True, slots=True)
class ScryptParameters:
    """Costs: N (a power of two), r and p as in RFC 7914; memory is 128·N·r bytes."""

    n: int
    r: int
    p: int

    def __post_init__(self) -> None:
        power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        if not power_of_two or self.r < 1 or self.p < 1:
            raise IntegrityError(f"scrypt parameters N={self.n} r={self.r} p={self.p} are invalid.")
        # A hostile key file must not be able to eat all memory or days of time.
        too_big = 128 * self.n * self.r > _MEMORY_LIMIT
        if too_big or 128 * self.n * self.r * self.p > _WORK_LIMIT:
            raise IntegrityError(
                f"scrypt parameters N={self.n} r={self.r} p={self.p} ask for too much work."
            )


STRONG = ScryptParameters(n=1 << 15, r=8, p=10)
"""For new keys: about 0.4 CPU seconds today, which is what restic's calibration arrives at."""


def derive_key(password: str, salt: bytes, parameters: ScryptParameters) -> MasterKey:
    """The key that opens the master key in a key file."""
    try:
        kdf = Scrypt(salt=salt, length=64, n=parameters.n, r=parameters.r, p=parameters.p)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise IntegrityError(f"scrypt refused its parameters: {exc}") from exc
    return MasterKey.from_bytes(kdf.derive(password.encode()))
