"""Answers from outside: understood where they are right, refused where they are not."""

from __future__ import annotations

import json

import pytest
from fetching import MD5
from hypothesis import given
from hypothesis import strategies as st

from llpbench.catalog import RecordFile
from llpbench.data.fetch.record import parse_record
from llpbench.errors import DownloadError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "name", ["../a.zip", "a/b.zip", "a\\b.zip", "a\0.zip", "a.tar", "", ".zip", "\ud800.zip"]
)
def test_a_name_that_would_leave_its_folder_or_is_no_zip_is_refused(name: str) -> None:
    with pytest.raises(DownloadError, match="plain name"):
        RecordFile(name, 1, MD5)


@pytest.mark.parametrize("size", [0, -1, 2**63, "12", 1.5, True, None])
def test_a_size_that_is_none_is_refused(size: object) -> None:
    with pytest.raises(DownloadError, match="positive size"):
        RecordFile("a.zip", size, MD5)  # type: ignore[arg-type]


@pytest.mark.parametrize("md5", ["", "0" * 31, "g" * 32, "0" * 33, None])
def test_a_checksum_that_is_no_md5_is_refused(md5: object) -> None:
    with pytest.raises(DownloadError, match="an md5"):
        RecordFile("a.zip", 1, md5)  # type: ignore[arg-type]


@given(json_values | st.fixed_dictionaries({"files": st.lists(json_values)}))
def test_any_json_is_a_record_or_one_sentence(answer: object) -> None:
    with pytest.raises(DownloadError):
        parse_record(answer)


@given(
    st.dictionaries(
        st.sampled_from(["key", "filename", "size", "filesize", "checksum"]),
        json_values | st.sampled_from(["a.zip", MD5, f"md5:{MD5}", 7]),
    )
)
def test_any_file_entry_is_an_archive_or_one_sentence(entry: dict[str, object]) -> None:
    try:
        file = parse_record(json.loads(json.dumps({"files": [entry]})))
    except DownloadError:
        return
    assert file == RecordFile(file.name, file.size, file.md5)


def test_the_zip_is_chosen_among_other_files() -> None:
    readme = {"key": "README.txt", "size": 3, "checksum": f"md5:{'0' * 32}"}
    archive = {"key": "a.ZIP", "size": 7, "checksum": f"md5:{MD5.upper()}"}
    assert parse_record({"files": [readme, archive]}) == RecordFile("a.ZIP", 7, MD5)


def test_several_zips_are_not_guessed_between() -> None:
    entries = [{"key": f"{name}.zip", "size": 7, "checksum": MD5} for name in "ab"]
    with pytest.raises(DownloadError, match=r"exactly one \.zip, but it holds 'a.zip', 'b.zip'"):
        parse_record({"files": entries})
