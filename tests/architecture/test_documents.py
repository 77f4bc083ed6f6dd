"""Documents keep their promises: links lead somewhere, decisions are numbered."""

import re

from tests.architecture.tree import ROOT, name_of

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    dead = [
        f"{name_of(document)}: {link}"
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in link and not (document.parent / link).exists()
    ]
    assert dead == []


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in ROOT.glob("docs/decisions/*.md"))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
