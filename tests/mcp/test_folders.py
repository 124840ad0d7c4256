"""Which repository a call is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import UsageError
from sideshoot.mcp.folders import chosen_folder, paths_of
from support.mcp import Client, stateless
from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def other(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "other repository, 100 %")


class TestChosen:
    def test_the_folder_that_is_named_counts(self, repo: Repo, other: Repo) -> None:
        assert chosen_folder(str(repo.top), [other.top], other.top) == repo.top

    def test_it_may_be_relative_to_what_is_meant_else(self, repo: Repo, tmp_path: Path) -> None:
        assert chosen_folder("src", [repo.top], tmp_path) == repo.top / "src"
        assert chosen_folder("garden/src", [], tmp_path) == tmp_path / "garden/src"

    def test_one_that_is_not_there_is_refused(self, repo: Repo) -> None:
        with pytest.raises(UsageError, match="there is no folder"):
            chosen_folder("no-such", [repo.top], repo.top)

    def test_of_several_roots_the_one_with_a_repository_is_meant(
        self, repo: Repo, tmp_path: Path
    ) -> None:
        plain = tmp_path / "plain"
        plain.mkdir()
        assert chosen_folder(None, [plain, repo.top], plain) == repo.top

    def test_roots_in_one_repository_are_no_question(self, repo: Repo) -> None:
        roots = [repo.top / "src", repo.top]
        assert chosen_folder(None, roots, repo.top.parent) == repo.top / "src"

    def test_two_repositories_are(self, repo: Repo, other: Repo) -> None:
        with pytest.raises(UsageError, match="several repositories can be meant") as refused:
            chosen_folder(None, [repo.top, other.top], repo.top)
        assert str(repo.top) in str(refused.value)
        assert str(other.top) in str(refused.value)


def test_roots_that_are_no_folders_of_this_machine_are_left_out(other: Repo) -> None:
    uris = [
        "https://example.org/x",
        "file://elsewhere/tmp",
        "file:///no/such/folder",
        "file://[bad",
        "",
        7,
        None,
        other.top.as_uri(),
    ]
    assert paths_of({"roots": [*({"uri": uri} for uri in uris), "x"]}) == [other.top]
    answers: list[Any] = [None, [], {}, {"roots": None}]
    for answer in answers:
        assert paths_of(answer) == []


class TestRoots:
    def test_a_client_is_asked_where_it_works(self, repo: Repo, other: Repo) -> None:
        with Client(other.top) as client:
            client.roots = [repo.top.as_uri()]
            client.begin(roots={"listChanged": True})
            client.do("run", command=["sh", "-c", "echo x > x"])
            client.do("keep")
            assert client.roots_asked == 1
            assert repo.exists("x")
            client.roots = [other.top.as_uri()]
            client.notify("notifications/roots/list_changed")
            assert client.do("status")["jobs"] == []
            assert client.roots_asked == 2

    def test_one_that_names_a_folder_is_not(self, repo: Repo, other: Repo) -> None:
        with Client(other.top) as client:
            client.begin(roots={})
            client.do("run", command=["sh", "-c", "echo x > x"], folder=str(repo.top / "src"))
            client.do("keep", folder=str(repo.top))
            assert client.roots_asked == 0
            assert repo.exists("src/x")

    def test_one_without_roots_works_where_the_server_was_started(self, repo: Repo) -> None:
        with Client(repo.top / "src") as client:
            client.begin()
            client.do("run", command=["sh", "-c", "echo x > x"])
            assert client.do("keep", paths=["x"])["files"][0]["path"] == "src/x"

    def test_without_a_handshake_the_question_is_an_answer(
        self, repo: Repo, tmp_path: Path
    ) -> None:
        with Client(tmp_path) as client:
            params = {"name": "status", "arguments": {}, "_meta": stateless({"roots": {}})}
            asked = client.request("tools/call", params)
            assert asked["resultType"] == "input_required"
            (key, question), *_ = asked["inputRequests"].items()
            assert question["method"] == "roots/list"
            given = {key: {"roots": [{"uri": repo.top.as_uri()}]}}
            answer = client.request("tools/call", params | {"inputResponses": given})
            assert answer["structuredContent"]["jobs"] == []

    def test_outside_of_a_repository_a_call_is_refused(self, tmp_path: Path) -> None:
        with Client(tmp_path) as client:
            client.begin()
            assert client.refused("status", "git repository")["exit_status"] == 3
            assert client.request("resources/list") == {"resources": []}
