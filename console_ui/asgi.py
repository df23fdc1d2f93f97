"""The console as an ASGI application; Django must be configured before this is imported."""

from __future__ import annotations

from django.core.asgi import get_asgi_application

application = get_asgi_application()
