"""Forms of many fields, from staff in admin alone: the rows that are selected, the people of a room.

Django refuses a form of more than DATA_UPLOAD_MAX_NUMBER_FIELDS, whoever sends it. That limit stays for everybody; a
bigger form of staff is read in parts, each by Django and within that limit. Its bytes have the same bound as ever.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.deprecation import MiddlewareMixin

MOST_FIELDS = 20_000
"""Fields of one form at most; any SQLite takes as many values in one statement (32,766)."""


class BigFormsMiddleware(MiddlewareMixin):
    """Stands before CsrfViewMiddleware, whose look for its token is the first to read a form.

    By then the address is resolved and the session read, so that it is known who sends what to which page.
    """

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Read the form of a page of admin, if it is bigger than others may send; a yet bigger one Django refuses."""
        most: Any = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        if most is None or request.method != "POST" or not _is_of_staff(request) or not _fits_memory(request):
            return
        match request.content_type:
            case "application/x-www-form-urlencoded":
                fields = request.body.split(b"&")
                if most < len(fields) <= MOST_FIELDS:
                    _take(request, ((QueryDict(b"&".join(some)), None) for some in _parts(fields, most)))
            case "multipart/form-data":
                delimiter = b"\r\n--" + (request.content_params or {}).get("boundary", "").encode()
                fields = (b"\r\n" + request.body).split(delimiter)[1:-1]  # without what stands before and after
                if most < len(fields) <= MOST_FIELDS:
                    _take(request, (_parsed(request, some, delimiter) for some in _parts(fields, most)))


def _is_of_staff(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names and admin.site.has_permission(request)


def _fits_memory(request: HttpRequest) -> bool:
    """Files may be larger than what Django keeps in memory; their forms are its own matter."""
    most: Any = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return most is None or int(request.META.get("CONTENT_LENGTH") or 0) <= most


def _parts(fields: list[bytes], most: int) -> Iterator[list[bytes]]:
    return (fields[start : start + most] for start in range(0, len(fields), most))


def _parsed(request: HttpRequest, fields: list[bytes], delimiter: bytes) -> tuple[QueryDict, Any]:
    body = b"".join(delimiter + field for field in fields) + delimiter + b"--\r\n"
    return request.parse_file_upload({**request.META, "CONTENT_LENGTH": len(body)}, BytesIO(body))


def _take(request: HttpRequest, parts: Iterable[tuple[QueryDict, Any]]) -> None:
    post: Any = QueryDict(mutable=True)
    files = MultiValueDict[str, Any]()
    for fields, uploads in parts:
        post.update(fields)
        files.update(uploads or {})
    request.POST = post
    request._files = files  # type: ignore[attr-defined]  # noqa: SLF001 - or it would parse the form again
