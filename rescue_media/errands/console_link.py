"""Being linked to a console for as long as the rescue media runs, and not longer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from backup_agent.errors import LinkError
from backup_agent.model.cancel import CancelToken
from backup_agent.services.link.certificate import UnknownCertificate, trusted_console
from backup_agent.services.link.console import Codes, ConsoleClient
from backup_agent.services.link.identity import Console, DeviceIdentity, SigningKey, keep
from backup_agent.services.link.linking import new_key, this_device, wait_for_answer
from backup_agent.services.link.vaults import reachable
from backup_agent.services.media.slot import checked_settings
from rescue_media.flow.answers import CertificateUnknown, CodeShown, PlaceOpened
from rescue_media.flow.values import Place, ShownCode, Workstation
from rescue_media.flow.wishes import AskForCode

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_OWN_VAULT = "vault:"


class ConsoleLink:
    """Holds the device's key in a private folder in memory; :meth:`close` forgets it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        base = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="everboot-", dir=base))
        )
        self._file = self._folder / "device.json"
        self.environment = {**environment, "EVERBOOT_DEVICE_FILE": str(self._file)}
        self._waiting: tuple[Console, SigningKey, Codes, bool] | None = None

    def close(self) -> None:
        self._stack.close()

    def ask(self, wish: AskForCode) -> CodeShown | CertificateUnknown:
        """Raises ``UsageError``, ``LinkError``, ``StorageError``."""
        settings = checked_settings(console=wish.console, code=wish.media_code)
        unknown: list[UnknownCertificate] = []

        def confirm(shown: UnknownCertificate) -> bool:
            unknown.append(shown)
            return bool(wish.trusted) and shown.fingerprint == wish.trusted

        try:
            console = trusted_console(
                settings.console,
                self.environment,
                cacert=self._authority(wish.certificate),
                confirm=confirm,
            )
        except LinkError:
            if not unknown:
                raise
            return CertificateUnknown(unknown[-1].fingerprint, unknown[-1].why)
        key, device = new_key(), this_device()
        with ConsoleClient(console, key, self.environment) as client:
            codes = client.ask_for_codes(
                name=device.name,
                system=f"Rescue media ({device.system})",
                scope="backup" if wish.backs_up else "restore",
                media_code=settings.code,
            )
            shown = ShownCode(
                codes.user_code, codes.verification_uri, client.short_fingerprint, codes.expires_in
            )
        self._waiting = console, key, codes, wish.backs_up
        return CodeShown(shown)

    def wait(self, cancel: CancelToken) -> PlaceOpened:
        """Until somebody has approved. Raises ``LinkRefusedError``, ``JobCancelledError``."""
        assert self._waiting is not None
        console, key, codes, backs_up = self._waiting
        with ConsoleClient(console, key, self.environment) as client:
            token = wait_for_answer(client, codes, wait=cancel.wait)
        identity = DeviceIdentity(
            console, key, token.device_id, token.device_name, token.organisation, token.scope
        )
        keep(identity, self._file)
        place = Place(_OWN_VAULT, f"Cloud Storage, {token.organisation}", is_console=True)
        if backs_up:
            return PlaceOpened(place, ())
        return PlaceOpened(
            place,
            tuple(
                Workstation(vault.name, f"{_OWN_VAULT}{vault.id}")
                for vault in reachable(self.environment)
            ),
        )

    def _authority(self, certificate: str) -> Path | None:
        """The one that the medium carries, as a file."""
        if not certificate:
            return None
        file = self._folder / "authority.pem"
        file.write_text(certificate)
        return file
