"""Claude Code's transcripts are read as the conversation that they hold, whatever else is in them."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.claude.transcript import LONGEST_LINE, read_transcript
from sideshoot.agents.conversation import MOST_CHARACTERS, Conversation, Gathering, assistant, user
from sideshoot.errors import CannotStart
from support.transcripts import Transcript

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session.jsonl"


def said(transcript: Transcript, file: Path) -> Conversation:
    return read_transcript(transcript.write(file))


def texts(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role.value, message.text) for message in conversation.messages]


def test_both_sides_take_turns_and_tools_are_told_by_the_agent(
    transcript: Transcript, file: Path
) -> None:
    transcript.user("count the plums")
    transcript.assistant([{"type": "thinking", "thinking": "hm", "signature": "x"}])
    transcript.called("Bash", "t1", command="ls plums")
    transcript.answered("t1", [{"type": "text", "text": "one two"}, {"type": "image"}])
    transcript.assistant("Two plums.")

    found = said(transcript, file)

    assert texts(found) == [
        ("user", "count the plums"),
        (
            "assistant",
            '[tool Bash]\n{"command": "ls plums"}\n\n[tool answered]\none two\n[image]\n\nTwo plums.',
        ),
    ]
    assert found.whole
    assert found.left_out == 0


def test_what_is_not_of_the_conversation_stays_out(transcript: Transcript, file: Path) -> None:
    transcript.user("hello")
    transcript.user("a caveat", isMeta=True)
    transcript.assistant("among subagents", isSidechain=True)
    transcript.assistant("API Error: 529", isApiErrorMessage=True)
    transcript.entry("attachment", attachment={"type": "skill_listing"})
    transcript.entry("a kind of tomorrow")
    transcript.user(
        [{"type": "image", "source": {"data": "aGk="}}, {"type": "text", "text": "see"}]
    )

    assert texts(said(transcript, file)) == [("user", "hello\n\n[image, left out]\n\nsee")]


def test_what_the_user_went_back_on_is_not_told(transcript: Transcript, file: Path) -> None:
    transcript.user("plant a plum")
    fork = transcript.assistant("planted")
    transcript.user("cut it down")
    transcript.assistant("it is gone")
    transcript.user("water it", parentUuid=fork)
    transcript.assistant("watered")

    found = said(transcript, file)

    assert [text for _, text in texts(found)] == ["plant a plum", "planted", "water it", "watered"]
    assert not found.whole


def test_all_of_several_answers_at_once_are_told(transcript: Transcript, file: Path) -> None:
    transcript.user("look twice")
    first = transcript.called("Read", "t1", path="a")
    second = transcript.called("Read", "t2", path="b")
    transcript.answered("t1", "answer a", parentUuid=first)
    transcript.answered("t2", "answer b", parentUuid=second)
    transcript.assistant("both seen")

    found = said(transcript, file)

    text = found.messages[-1].text
    assert text.index("answer a") < text.index("answer b") < text.index("both seen")
    assert found.whole


def test_a_compaction_leaves_its_summary_of_what_was_before(
    transcript: Transcript, file: Path
) -> None:
    transcript.user("long ago")
    transcript.assistant("long since done")
    transcript.compacted("We planted a plum.")
    transcript.assistant("Going on.")

    found = said(transcript, file)

    assert texts(found) == [("user", "We planted a plum."), ("assistant", "Going on.")]
    assert not found.whole


def test_lines_that_can_not_be_read_are_passed_over(transcript: Transcript, file: Path) -> None:
    transcript.user("before")
    for line in (b"no json\n", b"[1]\n", b'{"type": "user", "message": 7, "uuid": 3}\n', b"\n"):
        transcript.raw(line)
    transcript.raw(b"[" * 100_000 + b"\n")
    transcript.user("latin \ud800", parentUuid="of a line that is gone")
    transcript.assistant("caf#")
    transcript.raw(transcript.lines.pop().replace(b"#", b"\xe9"))
    transcript.raw(b'{"type": "user", "message": {"role": "us')

    found = said(transcript, file)

    assert texts(found) == [("user", "before\n\nlatin \ufffd"), ("assistant", "caf\ufffd")]
    assert not found.whole


def test_a_line_that_is_still_being_written_is_none_that_is_lost(
    transcript: Transcript, file: Path
) -> None:
    transcript.user("hello")
    transcript.raw(b'{"type": "assistant", "message": {"ro')

    assert said(transcript, file).whole


def test_entries_that_go_in_a_circle_end(transcript: Transcript, file: Path) -> None:
    transcript.user("one", parentUuid="entry-1")
    transcript.assistant("two", parentUuid="entry-0")

    assert texts(said(transcript, file)) == [("user", "one"), ("assistant", "two")]


def test_of_a_huge_session_the_end_is_read_in_little_memory(
    transcript: Transcript, file: Path
) -> None:
    for number in range(300):
        transcript.user(f"question {number} " + "plum " * 2000)
        transcript.called("Bash", f"t{number}", command="x" * 50_000)
        transcript.answered(f"t{number}", "y" * 50_000)
    file = transcript.write(file)
    size = file.stat().st_size
    transcript.lines.clear()
    tracemalloc.start()
    try:
        found = read_transcript(file)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size > 30_000_000
    assert most < 8_000_000
    assert "question 299 " in found.messages[-2].text
    assert MOST_CHARACTERS <= sum(len(message.text) for message in found.messages) < 500_000
    assert found.left_out > 500
    assert not found.whole


def test_a_line_that_is_too_long_is_left_out(transcript: Transcript, file: Path) -> None:
    transcript.user("before")
    transcript.user("x" * (LONGEST_LINE + 10))
    transcript.assistant("after")

    found = said(transcript, file)

    assert texts(found) == [("user", "before"), ("assistant", "after")]
    assert not found.whole


def test_what_holds_no_conversation_is_refused(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty.jsonl", tmp_path / "other.txt"
    empty.touch()
    other.write_text("a shopping list\n")

    for file in (empty, other):
        with pytest.raises(CannotStart, match="holds no conversation"):
            read_transcript(file)
    for file in (tmp_path / "gone.jsonl", tmp_path):
        with pytest.raises(CannotStart):
            read_transcript(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_what_may_not_be_read_is_said(transcript: Transcript, file: Path) -> None:
    transcript.user("hello")
    transcript.write(file).chmod(0)

    with pytest.raises(CannotStart, match="Permission denied"):
        read_transcript(file)


def test_messages_of_one_side_in_a_row_are_one() -> None:
    gathering = Gathering()
    gathering.put_before([assistant("three")])
    gathering.put_before([user("one"), user(" "), user("two")])

    assert texts(gathering.conversation("it")) == [("user", "one\n\ntwo"), ("assistant", "three")]


def test_the_user_begins() -> None:
    gathering = Gathering()
    gathering.put_before([assistant("planted")])

    assert [role for role, _ in texts(gathering.conversation("it"))] == ["user", "assistant"]


def test_a_great_many_entries_of_which_none_follows_on_another_are_soon_read(
    transcript: Transcript, file: Path
) -> None:
    for number in range(30_000):
        transcript.user(f"plum {number}", parentUuid="of a line that is gone")

    assert "plum 0" in said(transcript, file).messages[0].text
