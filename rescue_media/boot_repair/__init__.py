"""What a restored disk needs besides its bytes, so that it starts this very computer.

The firmware has to find a loader (``efi``, ``esp``), a boot sector has to know
where its volume lies (``hidden_sectors``), Windows must not wake up into what
it remembered of another disk (``hibernation``) and has to load the driver of a
controller it never saw (``windows``, ``hive``), Linux has to find its file
systems (``linux``). ``survey`` looks at the disk, ``plan`` decides and changes
nothing, ``execute`` walks the plan step by step. Partition table, boot code and
Windows' boot configuration (BCD) stay as they were: they name disk and
partitions by ids that the restore kept.

Every step can be repeated: done already, it is left out and says so.
"""
