"""Linux: disks from ``lsblk``, their use from ``/sys`` and ``/proc``."""
