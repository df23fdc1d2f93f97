"""Real storage servers on loopback, started by the tests and gone with them.

One file per server: ``openstack_swift``, ``keystone``, ``ceph``, ``wsgidav``,
``rclone``. Each is a context manager that starts the server in a given folder
and gives the doors a repository can enter by, as ``RunningServer`` values by
name. ``park`` starts them lazily and keeps them for a whole test run.

Below them: ``process`` (the only door to subprocess in the tests), ``programs``
(what Debian must provide), ``environments`` (cached virtual environments for
servers from PyPI), ``authority`` (a private certificate authority).
``fault_proxy`` stands between a client and any of the servers and breaks things.
"""
