"""The documentation as pages of the site."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from config import docs

ALL = docs.docs()


def test_every_document_has_a_page() -> None:
    assert set(ALL) == {path.stem for path in docs.DOCS.glob("*.md")} - {"README"}


@pytest.mark.django_db
def test_home_leads_to_the_documents_and_the_api(client: Client) -> None:
    home = client.get("/").text
    for address in (reverse("docs"), reverse("api:openapi-view")):
        assert f'href="{address}"' in home
        assert client.get(address).status_code == 200


def test_the_index_leads_to_each_page(client: Client) -> None:
    index = client.get("/docs/").text
    for name, doc in ALL.items():
        assert f'href="/docs/{name}/"' in index
        assert doc.title in client.get(f"/docs/{name}/").text


def test_a_page_says_what_its_document_says(client: Client) -> None:
    found = client.get("/docs/guarantees/")
    assert re.search(r"<h1>What is guaranteed</h1>", found.text)
    assert found.context["doc"].text in (docs.DOCS / "guarantees.md").read_text()


@pytest.mark.parametrize("name", ["nothing", "README", "..", "..%2f..%2fREADME"])
def test_what_is_no_document_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/docs/{name}/").status_code == 404


def test_a_site_without_documents_has_an_index_without_them(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(docs, "DOCS", tmp_path)
    docs.docs.cache_clear()
    assert client.get("/docs/").status_code == 200
    docs.docs.cache_clear()


def test_the_readme_makes_the_token_that_it_uses() -> None:
    readme = (docs.DOCS.parent / "README.md").read_text()
    assert readme.index("TOKEN=$(make token USER=admin)") < readme.index("$TOKEN")
