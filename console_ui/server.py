"""Serving the console over HTTP: uvicorn on a socket that is bound first.

Bound first, because with port 0 the address is known only then, and because a port that is
taken should be told before a database is made.
"""

from __future__ import annotations

import resource
import socket

import uvicorn

from backup_agent.errors import HostError
from console_ui.settings import Settings

_BACKLOG = 512
# A page that streams a download may not hold up the end of the console for ever.
_GRACE_SECONDS = 10
# Longer than clients and proxies keep a connection for their next request (commonly 5 to 60
# seconds): who closes first must be them, or a request is under way to a server that hangs up.
_KEPT_OPEN_SECONDS = 75


def listening_socket(address: str, port: int) -> socket.socket:
    """Raises ``HostError`` when the port is taken or the address is not this computer's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise HostError(
            f"Cannot listen on {address}, port {port}: {exc.strerror}.",
            hint="Is another console running? --port chooses another port.",
        ) from exc
    return listener


class _Server(uvicorn.Server):
    """uvicorn, which waits for every answer under way when it ends: those of open pages and of
    waiting devices last for minutes, so they are told to end.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from console_ui.activity.live import board

        board.close()
        await super().shutdown(sockets)


def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM, then finish those that run."""
    # A dump would hold the key file, and passwords that were typed a moment ago.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    from console_ui.alerts.watch import watch
    from console_ui.asgi import application
    from console_ui.storage.housekeeping import housekeeping
    from console_ui.web.postman import postman

    tls = settings.tls
    server = _Server(
        uvicorn.Config(
            application,
            lifespan="off",
            # Addresses may hold what is nobody's business; the audit log knows what matters.
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            ssl_certfile=str(tls.certificate) if tls else None,
            ssl_keyfile=str(tls.key) if tls else None,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=_KEPT_OPEN_SECONDS,
        )
    )
    housekeeping.start()
    watch.start()
    postman.start()
    try:
        server.run(sockets=[listener])
    finally:
        watch.stop()
        housekeeping.stop()
        postman.stop()
