"""What is true of every page: it says who may open it, turns others away, and only its own forms are taken."""

import re
from pathlib import Path

from werkzeug.routing import Rule

from tests.web.site import Site

WEB = Path(__file__).parent.parent.parent / "web"
#: What everybody may open. An addition is a decision.
OPEN = {"/", "/static/<path:filename>", "/console/sign-out", "/desk/sign-out"}
OPEN_PARTS = re.compile(r"/(console|desk|pool)/sign-in(/[\w-]+)?")


def rules(site: Site) -> list[Rule]:
    return sorted(site.app.url_map.iter_rules(), key=lambda rule: rule.rule)


def sample(rule: Rule) -> str:
    """An address that the rule takes, of something that is not there."""

    def value(found: re.Match[str]) -> str:
        if found["kind"] == "any":
            return found["choices"].split(",")[0].strip(" '\"")
        return "1" if found["kind"] == "int" else "2026-10"

    return re.sub(r"<(?:(?P<kind>\w+)(?:\((?P<choices>[^)]*)\))?:)?\w+>", value, rule.rule)


def is_open(rule: Rule) -> bool:
    return rule.rule in OPEN or OPEN_PARTS.fullmatch(rule.rule) is not None


def test_every_page_says_who_may_open_it(site: Site) -> None:
    for rule in rules(site):
        if rule.endpoint != "static":
            whom = getattr(site.app.view_functions[rule.endpoint], "open_to", None)
            assert whom is not None, f"{rule.rule}: no decorator"
            assert (whom == "all") == is_open(rule), rule.rule


def test_strangers_are_sent_to_the_sign_in(site: Site) -> None:
    stranger = site.stranger()
    for rule in rules(site):
        area = rule.rule.split("/")[1]
        if not is_open(rule) and "GET" in (rule.methods or ()):
            assert stranger.get(sample(rule)).status == 302, rule.rule
            assert stranger.location.partition("?")[0] == f"/{area}/sign-in", rule.rule


def test_no_form_is_taken_without_its_token(site: Site) -> None:
    stranger = site.stranger()
    posts = [rule for rule in rules(site) if "POST" in (rule.methods or ())]
    assert len(posts) > 10
    for rule in posts:
        assert stranger.post(sample(rule), csrf=False).status == 400, rule.rule


def test_every_answer_restricts_what_a_browser_does(site: Site) -> None:
    stranger = site.stranger()
    for path in (
        "/",
        "/console/sign-in",
        "/desk/sign-in",
        "/pool/sign-in",
        "/console/nothing",
        "/pool",
    ):
        headers = stranger.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Permissions-Policy" in headers


def test_templates_hold_nothing_that_the_policy_forbids() -> None:
    for path in sorted((WEB / "templates").rglob("*.html")):
        text = path.read_text()
        assert not re.search(
            r"\sstyle=|\son(click|load|change|submit|error|input|key\w+|mouse\w+|focus|blur)=|<style|javascript:",
            text,
        ), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path.name
        assert not re.search(r"(src|href|action)=.(https?:)?//", text), path.name
        for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
            if re.search(r"method=.?post", form, re.IGNORECASE):
                assert "csrf" in form, path.name


def test_what_never_changes_is_kept_by_the_browser(site: Site) -> None:
    stranger = site.stranger()
    href = stranger.get("/").page.xpath("//link[@rel='stylesheet']/@href")[0]
    answer = stranger.get(href)
    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert stranger.get("/static/style.css").headers["Cache-Control"] == "no-store"
    assert stranger.get("/static/../site.py").status == 404
