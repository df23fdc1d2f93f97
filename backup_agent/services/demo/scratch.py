"""The one folder in which the demo happens."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from backup_agent.errors import TargetError, UsageError

_MARK = ".everboot-demo"
_MARK_TEXT = "Made by everboot demo, which replaces what is in here when run with --again.\n"


class Scratch:
    """Where everything of the demo lies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.documents = self.folder / "documents"
        self.disk = self.folder / "computer" / "disk.img"
        self.password_file = self.folder / "password.txt"
        self.repository = self.folder / "repository"
        self.restored = self.folder / "restored"
        self.zip = self.folder / "letters.zip"
        self.zip_from_windows = self.folder / "letters-from-windows.zip"
        self.from_windows = self.restored / "from-windows"
        self.same_disk = self.restored / "disk-same.img"
        self.larger_disk = self.restored / "disk-larger.img"
        self.smaller_disk = self.restored / "disk-smaller.img"
        self.room = self.folder / "computer" / "taken-apart"
        """Where disks are taken apart to look at every file; gone when nobody looks."""

    def prepare(self, *, again: bool) -> None:
        """Claim the folder and write a new password there.

        What an earlier demo made goes away if ``again``; a file that somebody
        else put beside it stays. Raises ``UsageError``, ``TargetError``.
        """
        try:
            self._claim(again=again)
            self.disk.parent.mkdir()
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(18) + "\n")
        except OSError as exc:
            raise TargetError(
                f"{exc.filename or self.folder} cannot be made: {exc.strerror}.",
                hint="Name another folder with --folder.",
            ) from exc

    def restored_documents(self, point: str) -> Path:
        """Files come back with the whole path they had."""
        return self.restored / point / self.documents.relative_to("/")

    def password(self) -> str:
        return self.password_file.read_text().strip()

    def _claim(self, *, again: bool) -> None:
        mark = self.folder / _MARK
        if mark.exists():
            if not again:
                raise UsageError(
                    f"{self.folder} holds an earlier demo.",
                    hint="Add --again to replace it, or name another folder with --folder.",
                )
            self._remove_earlier()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise UsageError(
                f"{self.folder} is not empty, and no demo made it.",
                hint="Name another folder with --folder.",
            )
        mark.write_text(_MARK_TEXT)

    def _remove_earlier(self) -> None:
        for folder in (self.documents, self.disk.parent, self.repository, self.restored):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.password_file, self.zip, self.zip_from_windows):
            file.unlink(missing_ok=True)
