"""The reference as people read it: complete, without scripts, and every link leads somewhere."""

import re
from html.parser import HTMLParser

import pytest

from api.http.catalogue import CATALOGUE
from tests.api.service import Service


class Page(HTMLParser):
    """What a page holds, and whether its tags are closed as they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag in ("a", "link"):
            self.links.append(str(found["href"]))
        if tag not in ("meta", "link", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.mark.parametrize("path", ["/docs", "/docs/problems"])
def test_pages_need_nothing_but_our_style(service: Service, path: str) -> None:
    answer = service.http.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = Page(answer.text)
    assert not set(page.tags) & {"script", "style", "img", "iframe", "object", "form"}
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        address, _, anchor = link.partition("#")
        target = service.http.get(address) if address else answer
        assert target.status_code == 200, link
        assert not anchor or anchor in Page(target.text).ids, link


def test_every_operation_is_there(service: Service) -> None:
    text = service.http.get("/docs").text
    document = service.http.get("/openapi.json").json
    for path, operations in document["paths"].items():
        for method in set(operations) - {"parameters"}:
            heading = (
                f'<span class="method">{method.upper()}</span> <span class="path">{path}</span>'
            )
            assert heading in text
    assert "<code>next_cursor</code>" in text
    assert "<code>data[].system.name_zh</code>" in text


def test_every_code_has_its_place(service: Service) -> None:
    page = Page(service.http.get("/docs/problems").text)
    assert set(CATALOGUE) <= set(page.ids)
    problem = service.http.get("/nothing").json
    address, _, anchor = problem["type"].partition("#")
    assert anchor in Page(service.http.get(address).text).ids


def test_the_page_says_its_language(service: Service) -> None:
    for header, language in (("en", "en"), ("zh-CN", "zh-Hans")):
        answer = service.http.get("/docs", headers={"Accept-Language": header})
        assert re.search(r'<html lang="([^"]+)">', answer.text)[1] == language  # type: ignore[index]  # a missing one fails the test


def test_the_style_is_served(service: Service) -> None:
    answer = service.http.get("/docs/style.css")
    assert answer.content_type == "text/css; charset=utf-8"
    assert "prefers-color-scheme" in answer.text
