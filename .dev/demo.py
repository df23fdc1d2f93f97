"""Show Everboot's main job on this computer: ``python3 .dev/demo.py [OPTIONS]``.

Does all set-up that is missing, then hands over to ``everboot demo``.
"""

from __future__ import annotations

import os
import sys

from debian import DEMO_PACKAGES, ensure_installed
from environment import Extent, packages_for_environment, prepare

if __name__ == "__main__":
    # All packages in one breath: nobody likes to call an administrator twice.
    ensure_installed((*packages_for_environment(), *DEMO_PACKAGES), purpose="the demo")
    everboot = prepare(Extent.PRODUCT) / "everboot"
    os.execv(everboot, [str(everboot), "demo", *sys.argv[1:]])
