"""Bringing a disk back: to the same, a larger or a smaller one, or into an image file.

First the plan: :mod:`~.request` looks at the target (:mod:`~.refuse` says no where
nothing may be written) and gathers what must be known of the stored disk
(:mod:`~.facts`); :mod:`~.tables` and :mod:`~.arrange` find a place for every
partition, and :mod:`~.planner` makes of it a frozen :class:`~.plan.RestorePlan`.

Then :mod:`~.execute` walks the plan. A volume that changes its size is resized
beforehand (:mod:`~.reshape`). Volumes are written first, each but for its first MiB
(:mod:`~.slot`), then those, then the partition table (:mod:`~.outside`), sector 0 at
the very end. Until then sector 0 holds a mark (:mod:`~.mark`) by which the same
restore, started again, knows its own work.
"""
