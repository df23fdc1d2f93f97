"""What the windows have in common: the look, and the bridge from working threads to widgets.

``tokens`` are the design's values, ``theme`` makes Qt look like them, ``bridge`` runs a service
beside the window and brings its news back, ``drawn_disk`` and ``pace`` are plain values that the
painted widgets show. This package needs PySide6 (the extra ``gui``).
"""

from backup_agent.qtkit.lasting_true import keep_true

keep_true()
