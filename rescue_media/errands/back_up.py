"""A new restore point of the disks in this computer."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial

from backup_agent.errors import RepositoryNotFoundError, WrongPasswordError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.qtkit import words
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.repositories import create, local_folder, opened
from backup_agent.services.sources import DiskSelection, disks_source
from rescue_media.errands.storage import Storage
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w
from rescue_media.flow.values import Report


def back_up(
    wish: w.BackUp, storage: Storage, emit: Emit, cancel: CancelToken
) -> a.Finished | a.PasswordWanted:
    """Only reads the disks. Makes the repository where there is none, once its password is known.

    Raises ``EverbootError`` of every kind.
    """
    place = wish.place
    password = wish.password
    if password is None:
        password = storage.kept_password(place.address)
    if password is None:
        is_new = not storage.is_there(place, emit, cancel)
        return a.PasswordWanted(place.shown, place, is_new=is_new)
    access = storage.access(place, place.address, password)
    folder = local_folder(place.address)
    selection = DiskSelection(wish.disks, repository=folder)
    try:
        open_it = partial(opened, access, emit=emit, cancel=cancel)
        try:
            with open_it():
                pass
        except RepositoryNotFoundError:
            create(access, emit=emit, cancel=cancel).backend.close()
        chosen = disks_source(selection)
        with closing(chosen.source), open_it() as repository:
            for remark in chosen.remarks:
                emit(Notice(remark))
            result = run_backup(
                repository, chosen.source, BackupSettings(), emit=emit, cancel=cancel
            )
    except WrongPasswordError:
        return a.PasswordWanted(place.shown, place, wrong=True)
    left_out = tuple(f"{os.fsdecode(o.path)}: {o.reason}" for o in result.omissions)
    read = words.size(result.summary.total_bytes_processed)
    return a.Finished(
        Report(
            "This computer is backed up" if result.complete else "Backed up with gaps",
            (f"{read} of {', '.join(wish.disks)} are in {place.shown}.",),
            (*left_out, *chosen.remarks),
            is_complete=result.complete,
        )
    )
