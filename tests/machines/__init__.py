"""Virtual machines for what this computer's kernel cannot show: device-mapper, a boot.

``qemu`` turns a frozen description of a machine into a running one and knows
nothing of what runs inside; ``kernel`` and ``initramfs`` get a stock Debian
kernel going; ``guest`` runs a job in such a machine and hands back what it
wrote. The guest's root is this computer's own file system, seen read-only with
a layer of memory above it, so it has the same programs, the same Python and
the very code under test, and there is nothing to build or to keep up to date.

QEMU emulates the processor (TCG), because hosts of continuous integration
seldom lend theirs; that is ten to twenty times slower than the real one.
"""
