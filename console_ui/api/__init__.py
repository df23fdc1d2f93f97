"""``/api/v1/``: the console for programs and devices, as JSON.

What a request may see and do follows from who sends it (``callers``): a device with its access
token, a program with an application password, or a person's browser with its session. The
description for programs is at ``/api/v1/openapi.json``.
"""
