"""The owner of a console that runs in a process of its own, without a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.console.running import REPOSITORY, RunningConsole


@dataclass(frozen=True, slots=True)
class LiveOwner:
    """Logged in at ``console`` with the cookies in ``http``."""

    console: RunningConsole
    http: httpx.Client

    def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        token = next(value for name, value in self.http.cookies.items() if name.endswith("csrf"))
        return self.http.post(path, data={"csrfmiddlewaretoken": token, **fields})

    def approve(self, user_code: str, *, kind: str = "backup", may_read: str = "") -> None:
        """Type the code and approve; ``may_read`` is the name of a device."""
        self._type(user_code)
        page = self.http.get("/link/answer").text
        fields: dict[str, str | list[str]] = {"approve": "1", "kind": kind}
        if may_read:
            found = re.search(rf'value="([0-9a-f-]{{36}})"><span><bdi>{may_read}<', page)
            assert found is not None, page
            fields["source"] = [found[1]]
        assert self.post("/link/answer", **fields).headers["Location"] == "/devices"

    def refuse(self, user_code: str) -> None:
        self._type(user_code)
        assert self.post("/link/answer", refuse="1").headers["Location"] == "/devices"

    def remove(self, name: str) -> None:
        page = self.http.get("/devices").text
        form = rf"<bdi>{name}</bdi>.*?(/devices/[0-9a-f-]{{36}}/remove)"
        found = re.search(form, page, re.DOTALL)
        assert found is not None, page
        assert self.post(found[1]).headers["Location"] == "/devices"

    def actions(self) -> list[str]:
        """What the audit log has, oldest first."""
        exported = self.http.get("/audit/export").text
        return re.findall(r'"action": "([^"]+)"', exported)

    def _type(self, user_code: str) -> None:
        answer = self.post("/link", code=user_code)
        assert answer.headers.get("Location") == "/link/answer", answer.text


def become_owner(console: RunningConsole, http: httpx.Client) -> LiveOwner:
    """Follow the set-up link."""
    http.get("/setup")
    owner = LiveOwner(console, http)
    http.headers["Referer"] = f"{console.address}/"
    owner.post(
        "/setup",
        token=console.set_up_link.partition("#")[2],
        organisation="Keller",
        name="Mira Keller",
        email="mira@keller.example",
        password="several words of mine",
    )
    assert http.get("/devices").status_code == 200
    return owner


def add_folder(console: RunningConsole, root: Path) -> None:
    """Give the only organisation a storage location in a folder, from within the console's host."""
    subprocess.run(
        [sys.executable, "-m", "tests.console.live_location", str(console.data), str(root)],
        cwd=REPOSITORY,
        check=True,
    )
