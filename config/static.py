"""How static files are named and served: by content in production, by us in every environment."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


def under_prefix(url: str) -> str:
    """A file's address below the path that the request's site is at; STATIC_URL was read before any request."""
    return get_script_prefix().rstrip("/") + url if url.startswith("/") else url


class PlainStorage(StaticFilesStorage):
    """Files by the names they have, in development."""

    def url(self, name: str | None) -> str:
        """Where a file is for the visitor."""
        return under_prefix(super().url(name))


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Names carry a hash of the content, in `import` statements of scripts too."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # each settles the scripts that import only settled ones

    def url(self, name: str | None, force: bool = False) -> str:
        """Where a file is for the visitor."""
        return under_prefix(super().url(name, force))

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        """Leave alone what only looks like an import: an example in a comment of a script."""
        convert: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)

        def convert_code(match: re.Match[str]) -> str:
            line = match.string[: match.start()].rpartition("\n")[2].lstrip()
            return match[0] if name.endswith(".js") and line.startswith(("*", "//")) else convert(match)

        return convert_code


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise for an asynchronous server, open to the pages of ALLOWED_ORIGINS."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Answer with the whole file: a streamed one is read by Django in another thread, with a warning."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(found.status), headers=dict(found.headers))
        if "Content-Type" not in dict(found.headers):
            del response["Content-Type"]
        origin = request.headers.get("Origin")
        if origin in settings.ALLOWED_ORIGINS:
            response["Access-Control-Allow-Origin"] = origin
        patch_vary_headers(response, ["Origin"])
        return response
