"""Reports of our own faults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot import __version__
from sideshoot.cli.faults import report_fault, report_text, without_secrets

if TYPE_CHECKING:
    from support.repos import Repo


def raised(text: str) -> Exception:
    with pytest.raises(LookupError) as caught:
        raise LookupError(text)
    return caught.value


def test_a_report_says_what_broke_and_where() -> None:
    text = report_text(raised("no such thing"), ["run", "--agent", "codex", "fix it"])
    assert f"- sideshoot: {__version__}" in text
    assert "- git: git version" in text
    assert "- command: run --agent\n" in text
    assert "LookupError: no such thing" in text
    assert "test_faults.py" in text


def test_a_report_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_API_KEY", "sk-123456789")
    words = ["run", "--name=hush-hush", "--", "deploy", "--password=hunter22", "the secret plan"]
    error = raised(f"sk-123456789 {words} {Path.home()}/garden")
    text = report_text(error, words)
    for secret in ("sk-123", "hush", "hunter22", "secret plan", str(Path.home())):
        assert secret not in text
    assert "~/garden" in text


def test_short_words_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "1")
    assert without_secrets("line 11 of 21", ["run", "1"]) == "line 11 of 21"


def test_lies_with_the_repositorys_state(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.top)
    fault = report_fault(raised("x"), ["status"])
    assert fault.report is not None
    assert Path(fault.report).parent == repo.top / ".git" / "sideshoot" / "reports"
    assert repo.status() == b""


def test_a_place_that_can_not_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocker))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fault = report_fault(raised("x"), ["status"])
    assert fault.report is not None
    assert Path(fault.report).parent == tmp_path
    monkeypatch.setattr("tempfile.tempdir", str(blocker))
    assert report_fault(raised("x"), ["status"]).report is None
