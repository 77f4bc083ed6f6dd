"""Files that a form brings as evidence: looked at before anything is done, by their content and size."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from clearinghouse.domain.dispute_errors import EvidenceRefused
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.evidence import (
    BYTES_MAX,
    CSV,
    JPEG,
    NAME_MAX,
    PDF,
    PNG,
    TEXT,
    check_content,
    check_name,
)
from clearinghouse.operations.context import Context
from clearinghouse.operations.evidence import NewFile, add_evidence
from clearinghouse.operations.party import Party
from web.frame.errors import sentence
from web.frame.staff import CONSOLE

FIELD = "files"
#: How many files one form brings.
FILES_AT_ONCE = 3
_REST_OF_FORM = 256 << 10
#: A browser tells types by endings too, each differently; what a file is, its content has to show.
_TYPES = {
    "pdf": PDF,
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "csv": CSV,
    "txt": TEXT,
}
_ENDINGS = ",".join(f".{ending}" for ending in _TYPES)


def accept_files(blueprint: Blueprint, *endpoints: str) -> None:
    """Let forms of some views be as large as the files that they bring."""

    @blueprint.record_once
    def tell(state: BlueprintSetupState) -> None:
        """Tell the templates which endings a browser shall offer."""
        state.app.jinja_env.globals["evidence_endings"] = _ENDINGS

    @blueprint.url_value_preprocessor
    def accept(endpoint: str | None, _values: object) -> None:
        # Before the form is read for its token, which is before the view; a stranger may not send so much.
        if endpoint in endpoints and request.method == "POST" and CONSOLE in session:
            request.max_content_length = FILES_AT_ONCE * BYTES_MAX + _REST_OF_FORM
            # What is read at a time counts too, and is 64 KiB besides what is left of the time before.
            request.max_form_memory_size = _REST_OF_FORM


def files(wrong: dict[str, str]) -> list[NewFile]:
    """Return the files of a form; what can't be taken is told in ``wrong``."""
    given = [file for file in request.files.getlist(FIELD) if file.filename]
    if len(given) > FILES_AT_ONCE:
        wrong[FIELD] = _("一次最多 %(most)s 个文件", most=FILES_AT_ONCE)
        return []
    found = []
    for file in given:
        name = str(file.filename).replace("\\", "/").rpartition("/")[2][-NAME_MAX:]
        content = file.stream.read(BYTES_MAX + 1)
        media_type = _TYPES.get(name.rpartition(".")[2].lower())
        if len(content) > BYTES_MAX:
            wrong[FIELD] = _("“%(name)s”太大：每个文件最多 5 MB", name=name)
        elif media_type is None or not _is_sound(name, media_type, content):
            wrong[FIELD] = _(
                "“%(name)s”不能作为证据：须是 PDF、PNG、JPEG、CSV（UTF-8）或纯文本，内容与扩展名一致",
                name=name,
            )
        else:
            found.append(NewFile(name, media_type, content))
    return found


def bring(context: Context, who: Party, dispute_id: UUID, found: list[NewFile]) -> None:
    """Bring files to a dispute, and tell how that went."""
    try:
        for file in found:
            add_evidence(context, who, dispute_id, file)
    except ClearinghouseError as error:
        flash(sentence(error), "bad")
        return
    if found:
        flash(_("证据已提交：%(count)s 个文件。", count=len(found)), "good")


def _is_sound(name: str, media_type: str, content: bytes) -> bool:
    try:
        check_name(name)
        check_content(content, media_type)
    except EvidenceRefused:
        return False
    return True
