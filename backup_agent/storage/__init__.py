"""Where a repository lies: a folder, S3, Swift, a REST server, WebDAV.

``backend`` says what a place must promise. One file per kind of place keeps
the promise; ``retry``, ``throttle``, ``cache`` and ``faulty`` are backends
around a backend. ``addresses`` turns what a person types into one of them.

What the network backends share: ``failures`` reads what servers and libraries
say in trouble, ``byte_range`` the Range header, ``web_client`` is HTTP for
REST and WebDAV; ``s3_login`` and ``swift_login`` find the credentials.
"""
