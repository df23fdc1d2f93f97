"""How the API says no: always ``{"code": …, "message": …}``, the code for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import TypeAlias, cast

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

_View: TypeAlias = Callable[..., HttpResponseBase]
Urls: TypeAlias = tuple[list[URLPattern | URLResolver], str, str]


class Refusal(Schema):
    """Every answer that is no success."""

    code: str
    message: str


class Refused(Exception):  # noqa: N818 (an answer, not a failure)
    """Ends a request with this answer."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})


REFUSALS = dict.fromkeys((400, 401, 403, 404, 413, 422, 429), Refusal)
"""What any operation may answer besides its own."""


def refusal(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)


def install(api: NinjaAPI) -> None:
    """Give every kind of no the one shape."""
    api.add_exception_handler(Refused, _refused)
    api.add_exception_handler(AuthenticationError, _stranger)
    api.add_exception_handler(ValidationError, _unfit)
    api.add_exception_handler(Http404, _nothing)
    api.add_exception_handler(HttpError, _other)


def in_one_shape(urls: Urls) -> Urls:
    """The same addresses; a method that none of them knows is refused like everything else."""
    patterns, application, namespace = urls
    return [_with_shape(each) for each in patterns], application, namespace


def _with_shape(address: URLPattern | URLResolver) -> URLPattern:
    assert isinstance(address, URLPattern)
    view = _shaped(cast(_View, address.callback))
    return URLPattern(address.pattern, view, name=address.name)


def _shaped(view: _View) -> _View:
    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        if not isinstance(answer, HttpResponseNotAllowed):
            return answer
        told = refusal(405, "method_not_allowed", f"{request.method} does nothing here.")
        told.headers["Allow"] = answer.headers["Allow"]
        return told

    return answered


@csrf_exempt
def nothing_here(request: HttpRequest, **_path: str) -> HttpResponse:
    """For addresses below the API's that do not exist."""
    return _nothing(request, Http404())


def _refused(_request: HttpRequest, said: Refused | type[Refused]) -> HttpResponse:
    assert isinstance(said, Refused)
    answer = refusal(said.status, said.code, said.message)
    for name, value in said.headers.items():
        answer.headers[name] = value
    return answer


def _stranger(_request: HttpRequest, _said: object) -> HttpResponse:
    answer = refusal(401, "unauthenticated", "Neither a login nor a token that opens this.")
    answer.headers["WWW-Authenticate"] = 'Basic realm="Everboot", charset="UTF-8"'
    return answer


def _unfit(_request: HttpRequest, said: object) -> HttpResponse:
    assert isinstance(said, ValidationError)
    # Where and why, never what was sent: it may be a secret in the wrong place.
    told = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in said.errors
    )
    return refusal(422, "invalid", told[:1000])


def _nothing(_request: HttpRequest, _said: object) -> HttpResponse:
    return refusal(404, "not_found", "There is nothing here.")


def _other(_request: HttpRequest, said: object) -> HttpResponse:
    assert isinstance(said, HttpError)
    return refusal(said.status_code, HTTPStatus(said.status_code).name.lower(), str(said))
