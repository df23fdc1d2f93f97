"""Show Everboot's main job on this computer: ``python3 .dev/demo.py [OPTIONS]``.

Does all set-up that is missing, then hands over to ``everboot demo``.
"""

from __future__ import annotations

import os
import sys

from environment import Extent, prepare

if __name__ == "__main__":
    everboot = prepare(Extent.PRODUCT) / "everboot"
    os.execv(everboot, [str(everboot), "demo", *sys.argv[1:]])
