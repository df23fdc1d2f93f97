"""The one who does what the flow wishes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from backup_agent.errors import EverbootError
from backup_agent.host.command import run
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.repositories import local_folder
from rescue_media.errands.back_up import back_up
from rescue_media.errands.console_link import ConsoleLink
from rescue_media.errands.copy_files import copy_files
from rescue_media.errands.destinations import disks_found, look_at_image
from rescue_media.errands.disk_health import ask_disk
from rescue_media.errands.disk_restores import DiskRestores
from rescue_media.errands.machine import Machine
from rescue_media.errands.pause import PauseGate
from rescue_media.errands.restore_points import disks_in, items_in
from rescue_media.errands.settings import grant_setting, use_keyboard
from rescue_media.errands.storage import Storage
from rescue_media.errands.work_log import WorkLog
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w

_COMMAND_SECONDS = 30
_RESCUE_TERMINAL = "2"


class Errands:
    """Does one wish at a time, in whatever thread; :meth:`stop` may come from another."""

    def __init__(self, environment: Mapping[str, str], machine: Machine | None = None) -> None:
        self._link = ConsoleLink(environment)
        self._machine = machine or Machine()
        self._log = WorkLog()
        self._gate = PauseGate()
        self._storage = Storage(self._link)
        self._repository = self._storage.repository
        self._restores = DiskRestores(self._repository, self._machine, self._log)
        self._point = ""

    def close(self) -> None:
        try:
            self._repository.close()
        finally:
            # The device's key goes, whatever becomes of the storage.
            self._link.close()

    def stop(self) -> None:
        """Beside cancelling the job: wake who waits for storage, or is paused."""
        self._repository.stop()
        self._gate.open()

    def pause(self) -> None:
        """Hold the work that goes on after the block it is at. Any thread may ask for it."""
        self._log.add("Paused.")
        self._gate.close()

    def resume(self) -> None:
        """Let it go on."""
        self._log.add("Resumed.")
        self._gate.open()

    def perform(self, wish: w.Wish, emit: Emit, cancel: CancelToken) -> a.Answer:
        """Raises ``EverbootError`` of every kind; the window shows what it says."""
        emit = self._gate.holding(self._log.listening(emit))
        self._repository.emit = emit
        try:
            return self._grant(wish, emit, cancel)
        except EverbootError as error:
            self._log.add(f"{error.message} {error.hint}".rstrip())
            raise

    def _grant(self, wish: w.Wish, emit: Emit, cancel: CancelToken) -> a.Answer:
        match wish:
            case w.AskForCode():
                return self._link.ask(wish)
            case w.WaitForApproval():
                return self._link.wait(cancel)
            case w.OpenPlace(place):
                return a.PasswordWanted(place.shown, place)
            case w.FindPoints():
                return self._storage.find_points(wish)
            case w.ReadContents(point):
                self._point = point
                return a.ContentsFound(tuple(disks_in(self._repository.browse(point))))
            case w.FindDisks(place):
                folder = local_folder(place.address)
                return disks_found(self._machine.views(str(folder) if folder else ""))
            case w.MakePlans(rows, options):
                return self._restores.make_plans(self._point, rows, options)
            case w.LookAtImage(path, size):
                return look_at_image(path, size)
            case w.WritePlan(path):
                return self._restores.write_plan(Path(path))
            case w.Restore(options):
                return self._restores.restore(options, emit, cancel)
            case w.PlanBackUp(place):
                chosen = self._machine.own_disks(local_folder(place.address))
                return a.BackUpPlanned(place, chosen.paths, chosen.remarks)
            case w.BackUp():
                return back_up(wish, self._storage, emit, cancel)
            case w.ListFolder(path):
                items = items_in(self._repository.browse(self._point), path)
                return a.FolderListed(path, tuple(items))
            case w.CopyFiles():
                return copy_files(wish, self._repository, self._point, emit, cancel)
            case w.AskDisks():
                return a.HealthFound(tuple(ask_disk(disk) for disk in current_host().disks()))
            case w.ShowTerminal():
                run(["chvt", _RESCUE_TERMINAL], timeout_seconds=_COMMAND_SECONDS)
                return a.Left()
            case w.EndSession(turn_off):
                return self._end(turn_off=turn_off)
            case w.UseKeyboard(layout):
                use_keyboard(layout, self._machine.lasting)
                return a.Left()
            case w.SaveLog(path):
                self._log.save(Path(path))
                return a.LogSaved(path)
            case w.LookAround():
                return a.LookedAround(self._machine.status())
            case (
                w.FindNetwork()
                | w.JoinWifi()
                | w.UseAddress()
                | w.UseGivenAddress()
                | w.UseProxy()
                | w.AskTimeServers()
                | w.SetTime()
            ):
                return grant_setting(wish)
            case _:
                assert_never(wish)

    def _end(self, *, turn_off: bool) -> a.Left:
        self._repository.close()
        if not self._machine.on_medium:
            return a.Left()
        restart = self._restores.restart_plan
        if restart is not None and not turn_off:
            self._machine.restart(restart)
        else:
            what = "poweroff" if turn_off else "reboot"
            run(["systemctl", what], timeout_seconds=_COMMAND_SECONDS)
        return a.Left()
