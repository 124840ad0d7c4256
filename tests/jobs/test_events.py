"""The event log."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from sideshoot.agents.base import Event, EventKind
from sideshoot.jobs.events import EventLog, follow, last_seq, read, tail

if TYPE_CHECKING:
    from pathlib import Path


def say(text: str) -> Event:
    return Event(EventKind.MESSAGE, {"text": text}, "said")


def texts(path: Path, offset: int = 0) -> list[str]:
    return [event.data["text"] for event in read(path, offset)]


def test_events_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path, now=lambda: 12.5) as log:
        assert log.append(say("one\nline")) == 1
        assert log.append(Event(EventKind.PHASE, {"name": "weeding"})) == 2
    first, second = read(path)
    assert (first.seq, first.time, first.kind, first.source) == (1, 12.5, "message", "said")
    assert first.data == {"text": "one\nline"}
    assert (second.seq, second.kind, second.data) == (2, "phase", {"name": "weeding"})
    assert second.end == path.stat().st_size
    assert [event.seq for event in read(path, first.end)] == [2]


def test_one_event_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(Event(EventKind.OUTPUT, {"text": "a\r\n\x85\u2028b\udcff", "raw": b"\xff"}))
    (line,) = path.read_bytes().splitlines(keepends=True)
    assert json.loads(line)["data"] == {"text": "a\r\n\x85\u2028b\udcff", "raw": {"base64": "/w=="}}


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert list(read(path)) == []
    assert tail(path, 3) == []
    assert last_seq(path) == 0


def test_a_torn_last_line_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(say("whole"))
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:20])
    assert texts(path) == ["whole"]
    assert tail(path, 1)[0].data == {"text": "whole"}


def test_a_writer_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(say("one"))
        log.append(say("two"))
    path.write_bytes(path.read_bytes()[:-9])
    with EventLog(path) as log:
        assert log.append(say("three")) == 2
    assert texts(path) == ["one", "three"]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(say("one"))
    with path.open("ab") as file:
        file.write(b'\x00\x00\n[]\n{"seq": 2}\nnull\n\n\xff\xfe\n')
    with EventLog(path) as log:
        log.append(say("two"))
    assert texts(path) == ["one", "two"]


def test_the_tail_is_found_behind_a_line_of_any_length(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        for number in range(5):
            log.append(say(str(number)))
        log.append(say("x" * 300_000))
        log.append(say("end"))
    assert [event.seq for event in tail(path, 3)] == [5, 6, 7]
    assert [event.seq for event in tail(path, 99)] == [1, 2, 3, 4, 5, 6, 7]
    assert tail(path, 0) == []
    assert last_seq(path) == 7


def test_threads_write_whole_lines_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        threads = [
            threading.Thread(target=lambda: [log.append(say("x" * 5000)) for _ in range(50)])
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [event.seq for event in read(path)] == list(range(1, 301))


def test_follow_ends_after_finished(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(event.kind for event in follow(path)))
    reader.start()
    with EventLog(path) as log:
        log.append(say("one"))
        log.append(Event(EventKind.FINISHED))
        reader.join(60)
        log.append(say("never seen"))
    assert seen == ["message", "finished"]


def test_follow_reads_to_the_end_of_a_worker_that_died(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    script = (
        "import sys, os\n"
        "from pathlib import Path\n"
        "from sideshoot.agents.base import Event, EventKind\n"
        "from sideshoot.jobs.events import EventLog\n"
        "log = EventLog(Path(sys.argv[1]))\n"
        "for _ in range(100): log.append(Event(EventKind.PHASE))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)]) as process:
        seen = list(follow(path, stop=lambda: process.poll() is not None))
    assert len(seen) == 100
