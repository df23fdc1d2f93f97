"""The builder of the bootable key: from Debian packages and our own code to one file.

``build`` is the recipe. ``rootfs`` has Debian made once and kept in a cache,
with the ``kit`` of files that the start needs; ``application`` lays out our
code and the libraries it imports; ``squashfs`` packs each of these layers;
``initrd`` and ``bootloader`` make the way to them, ``manifest`` says what is
on the medium, and ``iso`` writes the file. What goes onto the medium as it is
lies in the folder ``medium``. ``trial`` boots the result in a machine of
``qemu`` and talks to it.

Layers keep a change cheap: our code is packed in a moment, Debian in minutes.
"""
