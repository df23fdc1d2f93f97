"""A mail server that keeps what it is given: SMTP with STARTTLS and a login, as providers ask."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.authority import Certificates
from tests.servers.process import free_ports

USER = "console"
PASSWORD = "mail secret of mine"


@dataclass(frozen=True, slots=True)
class MailServer:
    """``mails`` grows while the server runs; wait for ``arrived`` or ``refused``."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    refused: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(  # noqa: N802 (the name that aiosmtpd calls)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.arrived.set()
        return "250 Kept"

    def judge(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, data: object
    ) -> AuthResult:
        """Let in who knows user and password."""
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        if data != right:
            self.refused.set()
        return AuthResult(success=data == right, handled=False)


@contextlib.contextmanager
def mail_server(certificates: Certificates | None, port: int = 0) -> Iterator[MailServer]:
    """On loopback; without certificates it cannot do STARTTLS, and asks for no login."""
    made = MailServer(port or free_ports(1)[0])
    context = None
    if certificates is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certificate, certificates.key)
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=made.port,
        tls_context=context,
        require_starttls=context is not None,
        auth_required=context is not None,
        authenticator=made.judge,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
