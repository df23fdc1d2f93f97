"""A firmware's list of what to start, spoken to in efibootmgr's words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class FakeFirmware:
    """``guids``: the partitions of the disk by number. A ``forgetful`` one keeps no new entry."""

    guids: dict[int, str]
    entries: dict[str, str] = field(default_factory=lambda: {"0000": "UiApp\tFvVol(7cb8)"})
    order: list[str] = field(default_factory=lambda: ["0000"])
    next: str = ""
    forgetful: bool = False

    def ask(self, *arguments: str) -> str:
        match arguments:
            case ("-v",):
                return self._list()
            case ("--create", "--disk", _, "--part", part, "--loader", loader, "--label", label):
                if not self.forgetful:
                    number = f"{len(self.entries):04X}"
                    place = f"HD({part},GPT,{self.guids[int(part)].lower()},0x800,0x4000)"
                    self.entries[number] = f"{label}\t{place}/{loader}"
                    self.order.insert(0, number)
                return ""
            case ("--bootorder", order):
                self.order = order.split(",")
                return ""
            case ("--bootnext", number):
                self.next = number
                return ""
            case _:
                raise AssertionError(arguments)

    def _list(self) -> str:
        lines = ["BootCurrent: 0000", "Timeout: 0 seconds", f"BootOrder: {','.join(self.order)}"]
        lines += [f"Boot{number}* {text}" for number, text in self.entries.items()]
        return "\n".join(lines) + "\n"
