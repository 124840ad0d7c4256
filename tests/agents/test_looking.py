"""Which shell commands only look: the harmless ones do, and whatever could write does not."""

from __future__ import annotations

import pytest

from sideshoot.agents.looking import only_looks


@pytest.mark.parametrize(
    "command",
    [
        "git diff --no-ext-diff 1234 abcd -- 'src/it is.py'",
        "git diff HEAD -- ':(top,glob)caf?.txt' | head -50",
        "git --no-pager log --oneline -5; git show --stat HEAD && git status",
        "cat a.py b.py 2>/dev/null || ls -la",
        "cd src && grep -rn 'foo$' . | sort -rn | uniq -c | wc -l",
        "sed -n '10,20p' a.py",
        "sed -n 5p a.py",
        "find . -name '*.py' -size +1k",
        'rg -n "it\'s" src',
        "ls *.py",
        "git log -p --follow -- a.py 2>&1",
        "head -5 a.py\ntail -5 a.py\n",
        "git blame -L 1,5 -- --output",
    ],
)
def test_commands_that_look(command: str) -> None:
    assert only_looks(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "rm a.py",
        "touch x",
        "> a.py",
        "cat a.py > b.py",
        "cat a.py >> b.py",
        "cat < a.py",
        "cat a.py 2> err",
        "cat a.py 2>/dev/nullx",
        "echo $(rm a.py)",
        "echo `rm a.py`",
        'echo "$(rm a.py)"',
        "echo $'a'",
        "cat <(rm a.py)",
        "sleep 1 & rm a.py",
        "(rm a.py)",
        "ls; rm a.py",
        "ls | xargs rm",
        "ls\nrm a.py",
        "'r'm a.py",
        "\\rm a.py",
        "PAGER=x git log",
        "./git diff",
        "git diff --output=a.py",
        "git diff --outp a.py",
        "git diff 'a' --ext-diff",
        "git grep -Orm x",
        "git grep --open-files-in-pager=rm x",
        "git -c core.fsmonitor=./x status",
        "git -C elsewhere status",
        "git diff *",
        "git commit -m x",
        "git",
        "git branch -D main",
        "git cat-file --filters HEAD:a",
        "find . -delete",
        "find . -exec rm {} +",
        "find . -fprintf x y",
        "rg --pre ./x foo",
        "rg -lz foo",
        "sort -o a.py a.py",
        "sort --output=a.py a.py",
        "uniq a.py b.py",
        "sed -i s/a/b/ a.py",
        "sed -n 'w b.py' a.py",
        "sed -n 1p -i a.py",
        "sed 1,3p a.py",
        "awk '{print}' a.py",
        "cat 'a",
        "cat #a",
        "# cat",
    ],
)
def test_commands_that_may_do_more(command: str) -> None:
    assert not only_looks(command)
