"""What goes to the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


def said(script: str, *, encoding: str = "utf-8", shell: str = "") -> bytes:
    """What a process prints that does `script` after its streams were prepared."""
    code = f"from sideshoot.cli import output; output.prepare_streams(); {script}"
    argv = [sys.executable, "-c", code]
    if shell:
        argv = ["sh", "-c", f'"$0" "$@" {shell}', *argv]
    done = subprocess.run(
        argv,
        capture_output=True,
        timeout=60,
        env={"PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_whole_in_any_encoding(encoding: str) -> None:
    value = {"text": "é 日本 😀 \udce9 \x1b\n"}
    out = said(f"output.say_object({value!r})", encoding=encoding)
    assert json.loads(out.decode(encoding)) == value


def test_text_that_an_encoding_lacks_is_escaped() -> None:
    assert said("output.say('caf\\xe9 \\udce9')", encoding="ascii") == b"caf\\xe9 \\udce9\n"


def test_bytes_and_text_keep_their_order() -> None:
    script = "output.write('a'); output.write_bytes(b'\\xff\\n'); output.say('b')"
    assert said(script) == b"a\xff\nb\n"


def test_a_closed_descriptor_is_never_taken_by_a_file() -> None:
    script = (
        "import os; f = open('/dev/null'); assert f.fileno() > 2, f.fileno(); "
        "output.say('x'); output.note('x'); output.write_bytes(b'x'); output.binary().write(b'x')"
    )
    assert said(script, shell="<&- >&- 2>&-") == b""


def test_a_reader_that_left_is_told_apart_from_a_full_disk() -> None:
    code = (
        "from sideshoot.cli import output\n"
        "output.prepare_streams()\n"
        "try: output.say('x')\n"
        "except output.ReaderGone: output.note('gone')\n"
    )
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=pipe, stderr=subprocess.PIPE, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, b"gone\n")
