"""What is pinned is what pip would install: nothing that it obeys is passed over."""

from __future__ import annotations

import pytest

from lambdas.gates.model.requirements import UnpinnedError, every_pin, pins

_HIDDEN = {"pyyaml": "5.3.1"}


@pytest.mark.parametrize(
    "text",
    [
        "# a comment does not go on \\\npyyaml==5.3.1\n",
        "  # nor does this one \\\npyyaml==5.3.1\n",
        "--find-links x \\\n# nor what has been joined \\\npyyaml==5.3.1\n",
        'pyyaml==5.3.1 ; python_version < "3"\n',
        "--find-links x\x0bpyyaml==5.3.1\n",
        "pyyaml==\\\n5.3.1\n",
        "pyyaml==5.3.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11  # both\n",
        "pyyaml==5.3.1 \\",
    ],
)
def test_a_pin_is_seen_where_pip_sees_it(text: str) -> None:
    assert pins(text) == _HIDDEN


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.com -r other.txt",
        "--pre -e git+https://example.com/a.git",
        "--pre -rother.txt",
        "--find-links=-r other.txt",
        "-f x -c other.txt",
        "-r=requirements.txt",
        "-r ../requirements.txt",
    ],
)
def test_no_option_hides_another_one(line: str) -> None:
    with pytest.raises(UnpinnedError, match="names no one version"):
        pins(f"six==1.16.0\n{line}\n", read=lambda name: name == "requirements.txt")


@pytest.mark.parametrize("encoding", ["utf-7", "unicode_escape", "latin-1", "utf-16"])
@pytest.mark.parametrize("before", ["", "# ours\n", "# ours\r# theirs\r"])
def test_a_file_in_another_encoding_says_something_else(encoding: str, before: str) -> None:
    """pip reads UTF-7's `+AAo-` as the end of the comment."""
    with pytest.raises(UnpinnedError, match=f"its encoding is {encoding}"):
        pins(f"{before}# -*- coding: {encoding} -*-\n# +AAo-pyyaml+AD0APQ-5.3.1\nsix==1.16.0\n")


def test_options_about_other_lines_are_none_of_its_matter() -> None:
    text = "# coding: UTF-8\n--index-url https://x.example.com\n-f=x\n--require-hashes\n--pre\nsix==1.16.0\n"
    assert pins(text) == {"six": "1.16.0"}


def test_a_file_that_is_looked_at_itself_may_be_named() -> None:
    text = "-r requirements.txt\n--requirement ./base.txt\nsix==1.16.0\n"
    assert pins(text, read={"requirements.txt", "./base.txt"}.__contains__) == {"six": "1.16.0"}


def test_each_version_is_told_whose_markers_exclude_each_other() -> None:
    text = "six==1.15 ; python_version < '3'\nsix==1.16 ; python_version >= '3'\n"
    assert list(every_pin(text)) == [("six", "1.15"), ("six", "1.16")]
    with pytest.raises(UnpinnedError, match=r"six is pinned to 1\.15 and to 1\.16"):
        pins(text)
