"""What the process that holds a key may take, and what it cannot do at all."""

from __future__ import annotations

import resource

_MEMORY_BYTES = 4 << 30
"""Address space: an index of ten million blobs, and the buffers of a few downloads."""
_OPEN_FILES = 256
_CPU_SECONDS = 120
"""Between two signs of progress. The largest folder takes a few."""


def limit_process() -> None:
    """From here on: no file can be written, no core dumped, no memory taken without end.

    That no file can be written keeps names and contents out of temporary files, whatever a
    library means to put there.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def limit_cpu_from_here() -> None:
    """Who computes for longer than this without a sign of progress runs in circles."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + _CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
