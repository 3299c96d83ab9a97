"""Static files: names with hashes, also in scripts, and how they are answered."""

from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.urls import set_script_prefix
from pytest_django import Settings

from config.static import ManifestStorage, PlainStorage


@pytest.fixture
def storage(tmp_path: Path) -> ManifestStorage:
    """A storage in a directory of its own."""
    return ManifestStorage(location=str(tmp_path), base_url="/static/")


def collect(storage: ManifestStorage, **files: str) -> dict[str, str]:
    """Put scripts into the storage as collectstatic does; returns their processed contents."""
    names = {f"{name}.js": content for name, content in files.items()}
    for name, content in names.items():
        storage.save(name, ContentFile(content.encode()))
    for _, _, problem in storage.post_process({name: (storage, name) for name in names}):
        if isinstance(problem, Exception):
            raise problem
    return {name: Path(storage.path(storage.stored_name(f"{name}.js"))).read_text() for name in files}


def test_a_script_imports_the_hashed_name(storage: ManifestStorage) -> None:
    processed = collect(storage, a='import { b } from "./b.js";\n', b="export const b = 1;\n")
    assert processed["a"] == f'import {{ b }} from "./{storage.stored_name("b.js")}";\n'


def test_an_example_in_a_comment_is_no_import(storage: ManifestStorage) -> None:
    source = '/**\n *   import { a } from "/static/a.js";\n */\n// import { a } from "./a.js";\n'
    assert collect(storage, a=source)["a"] == source


def test_scripts_may_import_each_other_in_long_chains(storage: ManifestStorage) -> None:
    chain = {f"s{number}": f'import "./s{number + 1}.js";\n' for number in range(12)}
    processed = collect(storage, **chain, s12="export const end = 1;\n")
    assert storage.stored_name("s1.js") in processed["s0"]


def test_the_scripts_of_the_site_can_be_collected(tmp_path: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static.ManifestStorage"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    assert staticfiles_storage.url("realtime/connection/socket.js") != "/static/realtime/connection/socket.js"


async def test_a_file_is_answered_whole_without_a_warning(async_client: AsyncClient) -> None:
    response = await async_client.get("/static/admin/css/base.css")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/css")
    assert int(response["Content-Length"]) == len(response.content) > 1000


def test_a_question_for_the_headers_is_answered_without_the_file(client: Client) -> None:
    response = client.head("/static/admin/css/base.css")
    assert int(response["Content-Length"]) > 1000
    assert response.content == b""


def test_a_range_of_a_file_can_be_asked_for(client: Client) -> None:
    response = client.get("/static/admin/css/base.css", headers={"Range": "bytes=0-9"})
    assert response.status_code == 206
    assert len(response.content) == 10


def test_only_pages_of_allowed_origins_may_load_our_scripts(client: Client, settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = ["https://friend.example"]
    friend = client.get("/static/admin/css/base.css", headers={"Origin": "https://friend.example"})
    stranger = client.get("/static/admin/css/base.css", headers={"Origin": "https://stranger.example"})
    assert friend["Access-Control-Allow-Origin"] == "https://friend.example"
    assert "Access-Control-Allow-Origin" not in stranger
    assert "Origin" in stranger["Vary"]


def test_a_file_is_below_the_path_of_the_site(storage: ManifestStorage) -> None:
    collect(storage, a="export default 1;")
    below = storage.url("a.js")
    set_script_prefix("/static")
    try:
        assert storage.url("a.js") == f"/static{below}"
        assert PlainStorage(base_url="/static/").url("a.js") == "/static/static/a.js"
        assert PlainStorage(base_url="https://files.example/").url("a.js") == "https://files.example/a.js"
    finally:
        set_script_prefix("/")
