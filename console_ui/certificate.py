"""The console's own certificate, as people can compare it with what reaches them."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256


def own_fingerprint(certificate: Path) -> str:
    """SHA-256 of the first certificate in the PEM file, as "AB:CD:…"; empty unless it vouches for
    itself: what an authority vouches for need not be compared, and changes every few months.
    """
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    if found.issuer != found.subject:
        return ""
    return found.fingerprint(SHA256()).hex(":").upper()
