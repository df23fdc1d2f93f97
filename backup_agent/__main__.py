"""``python -m backup_agent`` and the ``everboot`` script."""

from __future__ import annotations

import sys


def main() -> int:
    from backup_agent.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
