"""Bringing a disk back: to the same, a larger or a smaller one, or into an image file.

First the plan: :mod:`~.facts` gathers what must be known of the stored disk and
the target, :mod:`~.arrange` finds a place for every partition, :mod:`~.planner`
makes of it a frozen :class:`~.plan.RestorePlan`, and :mod:`~.refuse` says no
where nothing may be written. Then :mod:`~.execute` walks the plan: volumes
first, each but for its first MiB (:mod:`~.slot`), then those, then the
partition table, sector 0 at the very end. Until then sector 0 holds a mark
(:mod:`~.mark`) by which the same restore, started again, knows its own work.
"""
