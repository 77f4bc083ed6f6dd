"""Large and changing files, and files that chance has damaged."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs import CheckedPack
from clearinghouse.operations.packs.reading import LINE_MAX
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.packs.transactions import examine, read_lines
from tests.operations.packs_sample import C1, FILES, T1, load, write_pack

MEGABYTE = 1 << 20
SIZE = 12 * MEGABYTE
PEAK_MAX = 6 * MEGABYTE


def big_file(folder: Path, megabytes: int) -> Path:
    block = "".join(
        f"H{n % 37},R{n},,spend,{C1},2026-11-{n % 28 + 1:02},2026-11-01T10:00:00+08:00,{n},\n"
        for n in range(12_000)
    ).encode()
    path = folder / T1
    with path.open("wb") as handle:
        handle.write(FILES[T1].split("\n", 1)[0].encode() + b"\n")
        while handle.tell() < megabytes * MEGABYTE:
            handle.write(block)
    return path


def test_a_large_file_takes_a_few_blocks_of_memory(tmp_path: Path) -> None:
    path = big_file(tmp_path, SIZE // MEGABYTE)
    tracemalloc.start()
    try:
        file = examine(path)
        first = next(read_lines(file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.size >= SIZE
    assert file.lines % 12_000 == 0
    assert first.line_no == 2
    assert peak < PEAK_MAX


@pytest.mark.parametrize("content", [b"\0", b"x", b'"'])
def test_a_line_without_an_end_is_not_read_to_its_end(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / T1
    with path.open("wb") as handle:
        handle.write(FILES[T1].encode() + content * (3 * MEGABYTE))
        handle.truncate(20_000 * MEGABYTE)  # sparse: takes no room on the disk
    tracemalloc.start()
    try:
        with pytest.raises(PackFault) as raised:
            examine(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(raised.value) in {
        f"{T1} line 6: has a NUL byte",
        f"{T1} line 6: is longer than {LINE_MAX:,} bytes",
    }
    assert peak < PEAK_MAX


def one_file(folder: Path) -> CheckedPack:
    return load(write_pack(folder))


def test_a_file_rewritten_after_the_check_is_refused(tmp_path: Path) -> None:
    checked = one_file(tmp_path)
    (tmp_path / T1).write_text(FILES[T1].replace("120000", "120001"))
    with pytest.raises(PackFault, match=f"^{T1}: was changed while it was being read"):
        next(checked.transactions(checked.files[0]))


def test_a_file_rewritten_in_secret_is_found_by_its_hash(tmp_path: Path) -> None:
    checked = one_file(tmp_path)
    path = tmp_path / T1
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    with path.open("r+") as handle:
        handle.write(FILES[T1].replace("120000", "120001"))
    os.utime(path, ns=times)
    lines = checked.transactions(checked.files[0])
    assert next(lines).amount_minor == 120001
    with pytest.raises(PackFault, match=f"^{T1}: was changed while it was being read"):
        list(lines)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = big_file(tmp_path, 1)

    def grow(_: int) -> None:
        with path.open("ab") as handle:
            handle.write(b"\n")

    with pytest.raises(PackFault, match=f"^{T1}: was changed while it was being read"):
        examine(path, grow)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    checked = one_file(tmp_path)
    (tmp_path / T1).unlink()
    with pytest.raises(PackFault, match=f"^{T1}: can't be read: No such file or directory$"):
        list(checked.transactions(checked.files[0]))


JUNK = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"\0", b'"', b",", b"\n", b"\r", b"\xef\xbb\xbf", b"{", b"}", b":", b"-", b"\xe9\x87",
         b"1e30", b"NaN", b"\xe2\x80\xae", b"9" * 70, b"null", b"0001-01-01T00:00:00+14:00"]
    ),
)  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.sampled_from(sorted(FILES)), st.floats(0, 1), st.integers(0, 12), JUNK),
    min_size=1,
    max_size=3,
)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damage=DAMAGE)
def test_damage_is_a_fault_or_harmless(
    tmp_path: Path, damage: list[tuple[str, float, int, bytes]]
) -> None:
    files = {name: text.encode() for name, text in FILES.items()}
    for name, where, gone, junk in damage:
        data = files[name]
        at = int(where * len(data))
        files[name] = data[:at] + junk + data[at + gone :]
    try:
        checked = load(write_pack(tmp_path, files))
        count = sum(len(list(checked.transactions(file))) for file in checked.files)
    except PackFault as fault:
        refused = fault
    else:
        assert count == sum(file.lines for file in checked.files)
        return
    assert refused.file in FILES
    assert str(refused).isprintable()
    assert C1 not in str(refused)
    assert "13800138000" not in str(refused)


@given(st.text())
def test_any_value_can_be_shown(value: str) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 500


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("1e30", '"1e30"'), ("a\nb", '"a\\nb"'), (C1, '"…0013"'), ("x@y", '"…"'),
     ("x" * 50, '"' + "x" * 40 + '…"'), ("138-0013-8000", '"…8000"')],
)  # fmt: skip
def test_values_are_shown_short_and_masked(value: str, quoted: str) -> None:
    assert shown(value) == quoted
