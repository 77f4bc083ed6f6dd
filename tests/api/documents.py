"""Running the examples of a document: what they print and what they are answered must be what stands there."""

import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"# → (.*)$", re.MULTILINE)
_VARIABLE = re.compile(r"\$([A-Z_]+)")
_STATUS = re.compile(r"^HTTP/1\.1 (\d{3}).*$", re.MULTILINE)
_ANYTHING = "…"


class Block(NamedTuple):
    """A fenced block; ``line`` is where its content begins."""

    kind: str
    text: str
    line: int


def blocks(text: str, *kinds: str) -> Iterator[Block]:
    """The blocks of some kinds, in order."""
    for match in _FENCE.finditer(text):
        if match[1] in kinds:
            yield Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1)


class Examples:
    """Runs ``python`` blocks in one namespace and ``http`` blocks with shared variables, against one server."""

    def __init__(self, url: str, variables: dict[str, str]) -> None:
        self._address = urlsplit(url)
        self.variables = variables
        self.namespace: dict[str, Any] = {"__name__": "document"}

    def run(self, path: Path | str) -> int:
        """Run all blocks of a document; how many there were."""
        text = path.read_text(encoding="utf-8") if isinstance(path, Path) else path
        found = list(blocks(text, "python", "http"))
        for block in found:
            try:
                self._python(block) if block.kind == "python" else self._http(block)
            except Exception as error:
                raise AssertionError(
                    f"the {block.kind} block at line {block.line}: {error!r}"
                ) from error
        return len(found)

    def _python(self, block: Block) -> None:
        # As many line breaks as are above it: a traceback tells the document's own lines.
        code = compile("\n" * (block.line - 1) + block.text, "document", "exec")
        printed = StringIO()
        with redirect_stdout(printed):
            exec(code, self.namespace)  # noqa: S102  our own document
        told = printed.getvalue().splitlines()
        assert told == _PRINTED.findall(block.text), told

    def _http(self, block: Block) -> None:
        found = _STATUS.search(block.text)
        assert found, "there is no answer"
        head, _, body = self._filled(block.text[: found.start()]).strip().partition("\n\n")
        first, *lines = head.splitlines()
        method, path, _ = first.split()
        headers = dict(line.split(": ", 1) for line in lines)
        assert self._address.hostname
        connection = HTTPConnection(self._address.hostname, self._address.port, timeout=30)
        try:
            connection.request(method, path, body.encode() or None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == int(found[1]), (answer.status, text)
        head, _, body = block.text[found.end() :].strip("\n").rpartition("\n\n")
        if not head and not body.startswith("{"):
            head, body = body, ""
        for line in filter(None, head.splitlines()):
            name, value = line.split(": ", 1)
            assert answer.getheader(name) == value, (name, answer.getheader(name))
        if body:
            self._compare(json.loads(body), json.loads(text), "")

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda found: self.variables[found[1]], text)

    def _compare(self, stated: Any, told: Any, place: str) -> None:
        """Compare what an answer is said to have with what it has; a variable takes its value where it has none."""
        if isinstance(stated, dict):
            assert isinstance(told, dict), place
            for name, inside in stated.items():
                assert name in told, f"{place}/{name} is missing"
                self._compare(inside, told[name], f"{place}/{name}")
        elif isinstance(stated, list):
            assert len(stated) == len(told), place
            for number, (inside, each) in enumerate(zip(stated, told, strict=True)):
                self._compare(inside, each, f"{place}/{number}")
        elif isinstance(stated, str) and (variable := _VARIABLE.fullmatch(stated)):
            assert told == self.variables.setdefault(variable[1], told), (place, told)
        elif stated == _ANYTHING:
            assert told not in (None, ""), place
        else:
            assert stated == told, (place, stated, told)
