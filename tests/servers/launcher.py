"""Become another program that the kernel kills when the tests end, however they end.

Usage: launcher.py PARENT_PID PROGRAM ARGUMENTS...

A file of its own instead of a ``preexec_fn``, which is not safe in a process
with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; survives the exec below


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the tests ended before their server started")
    os.execvp(program, sys.argv[2:])


if __name__ == "__main__":
    main()
