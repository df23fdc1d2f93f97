"""The web console: accounts, devices, vaults and restores for a whole organisation.

A request comes in through ``asgi``, passes the middleware in ``web`` (content
policy, language) and ``accounts`` (who is it, must they set up a second factor
first), and reaches one page. Pages ask the domain modules beside them and show
the answer; they decide nothing. What changes anything is written down by
``audit.record``. Whatever must not lie readable in the database goes through
``sealing``, which alone knows the key file.

``settings`` is a frozen value made from the command line; ``django_settings``
turns it into what Django wants. Nothing else reads the environment.
"""
