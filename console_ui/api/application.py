"""The API as one thing, with the addresses of all its operations."""

from __future__ import annotations

from django.urls import path
from ninja import NinjaAPI

from console_ui.api import device_itself, for_devices, for_people, refusals

# No page of documentation: what draws one is loaded from elsewhere.
api = NinjaAPI(title="Everboot console", version="1", docs_url=None, openapi_url="/openapi.json")
api.add_router("/device", for_devices.router)
api.add_router("", device_itself.router)
api.add_router("", for_people.router)
refusals.install(api)

urlpatterns = [
    path("", refusals.in_one_shape(api.urls)),
    path("<path:rest>", refusals.nothing_here),
]
