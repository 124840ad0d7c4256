"""What a command line starts: by the grammar of the shell, whatever stands around it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.hosts.guard import AGENTS, bare_agent, reason
from sideshoot.hosts.shell import Unclear, commands_of

STARTS = r"""
codex
codex exec fix
codex -m gpt-5 exec fix
codex --full-auto "fix it"
  codex e x
/usr/local/bin/codex exec x
./node_modules/.bin/codex exec x
"codex" exec x
co'de'x exec x
c\odex exec x
claude -p hi
claude --print hi
claude "fix it"
claude --model opus -p x
gemini -p x
gemini
echo x | gemini
opencode run x
opencode --print-logs run x
opencode
true && codex exec x
true || codex exec x
true; codex exec x
true & codex exec x
cat task | codex exec -
cat task |& codex exec -
! codex exec x
(codex exec x)
(cd a && codex exec x)
{ codex exec x; }
A=1 codex exec x
A="b c" B=$(date) codex exec x
a=(1 2) codex exec x
CODEX_HOME=/x codex exec x > out 2>&1
> out codex exec x
2>/dev/null codex exec x
codex exec x <<EOF\nhi\nEOF
cat <<EOF | codex exec -\nhi\nEOF
echo $(codex exec x)
echo "a $(codex exec "b $(date)") c"
echo `codex exec x`
echo "`codex exec x`"
x=$(codex exec x)
echo ${x:-$(codex exec x)}
diff <(codex exec x) b
cat <<EOF\n$(codex exec x)\nEOF
if codex exec x; then a; fi
if a; then codex exec x; fi
if a; then b; else codex exec x; fi
while a; do codex exec x; done
for i in 1 2; do codex exec $i; done
for ((i=0; i<3; i++)); do codex exec $i; done
case $x in a) codex exec x ;; esac
case $x in a|b) c ;; *) codex exec x ;; esac
f() { codex exec x; }
f () ( codex exec x )
function f { codex exec x; }
sudo codex exec x
sudo -u me -E codex exec x
env -i A=1 codex exec x
env -u B codex exec x
/usr/bin/env codex exec x
timeout 600 codex exec x
timeout -k 5 -s INT 10m codex exec x
timeout --kill-after=5 10m codex exec x
nice -n 10 codex exec x
nice codex exec x
nohup codex exec x &
setsid -f codex exec x
stdbuf -oL codex exec x
codex exec "$(cat <<'EOF'\nit's (tricky) `a "\nEOF\n)"
x=$(codex exec "$(cat <<EOF\na ) b\nEOF\n)")
for x in a; do (codex exec "$x" &) ; done; wait
coproc codex exec x
time codex exec x
time -p codex exec x
exec codex exec x
command codex exec x
command -p codex exec x
xargs codex exec
ls | xargs -n 1 -I {} codex exec {}
sudo nice timeout 5 env A=1 codex exec x
find . -name a -exec codex exec {} \;
bash -c "codex exec x"
bash -lc 'cd a && codex exec "b"'
sh -e -c "A=1 codex exec \"$TASK\""
bash <<EOF\ncodex exec x\nEOF
bash <<< "codex exec x"
bash -c "bash -c 'codex exec x'"
eval "codex exec x"
eval codex exec x
npx codex exec x
npx -y @openai/codex exec x
npx @openai/codex@0.169.0 exec x
pnpm dlx @anthropic-ai/claude-code -p x
npm exec -- @google/gemini-cli -p x
a\\n && codex exec x
# comment\ncodex exec x
echo a # b\ncodex exec x
[[ -f a && -f b ]] && codex exec x
cat <<-E1 <<'E2'\n\ta\n\tE1\nb\nE2\ncodex exec x
a=$((1+2)); codex exec x
echo $'it\'s' ; codex exec x
""".splitlines()[1:]

STARTS_NONE = r"""

echo codex exec x
echo "codex exec x"
echo 'a; codex exec x'
echo a\; codex exec
git commit -m "run codex exec && claude -p"
grep -r codex .
grep -rE "codex|claude" .
rg 'codex exec' | head
which codex
command -v codex
command -V codex
type codex
man codex
ls ~/.codex ./codex
cd codex
git commit -m "$(cat <<'EOF'\nAdd codex exec (it's nice) && claude -p\n\nbody ; codex exec x\nEOF\n)"
gh pr create --body "$(cat <<'EOF'\n## Run\n```\ncodex exec x\n```\nEOF\n)"
python3 - <<'EOF'\nimport os; os.system("codex exec x")\nEOF
printf '%s\n' "codex exec" > notes.md
sed -i 's/codex/claude/; s/a/b/' f
awk '{ if (codex) print }' f
jq '.codex | .claude' f
echo "a" # it's codex
export CODEX=codex
cat codex.md
codex-lint x
./codex/build.sh
npm install -g @openai/codex
npm ls codex
pip install codex
# codex exec x
echo a # codex exec x
cat <<EOF\ncodex exec x\nEOF
cat <<'EOF'\n$(codex exec x)\nEOF
cat > f <<EOF\ncodex exec x\nEOF
codex --version
codex --help
codex login
codex -c a=b login status
codex mcp list
claude --version
claude mcp list
claude plugin validate .
claude doctor
gemini --version
gemini mcp list
opencode --version
opencode models
opencode auth list
case $x in codex|claude) echo a ;; esac
case $x in (codex) a ;; codex) b;; esac
case codex in a) b ;; esac
for codex in a b; do echo $codex; done
for x in codex claude; do echo $x; done
codex() { true; }
function codex { true; }
codex=1
codex=(codex claude)
[[ $x == codex || codex == x ]]
[ codex = x ] && a
echo ${codex} ${x:-codex}
echo $((codex + 1))
ls !(codex)
ls @(codex|claude)
sideshoot run --agent codex fix
sideshoot run -- codex exec x
sideshoot review --agent claude
cat task | sideshoot run --agent codex --prompt-file -
bash script.sh codex
bash -c 'echo codex'
bash -x run.sh -c codex
timeout 5 grep codex a
xargs grep codex
env | grep codex
env
sudo -u codex ls
find . -name codex
find . -exec grep codex {} +
docker run codex
ssh host codex exec x
$AGENT exec x
"$(which codex)" exec x
echo 'codex
echo "$(codex
cat <<EOF
a b (codex exec x)
""".splitlines()[1:]


def script(line: str) -> str:
    r"""A line of the tables, in which \n stands for the end of a line, and \t for a tab."""
    return line.replace(r"\n", "\n").replace(r"\t", "\t")


@pytest.mark.parametrize("line", STARTS)
def test_an_agent_that_is_started_is_found(line: str) -> None:
    assert bare_agent(script(line)) in AGENTS


@pytest.mark.parametrize("line", STARTS_NONE)
def test_a_name_that_starts_nothing_is_not_taken_for_a_start(line: str) -> None:
    assert bare_agent(script(line)) is None


def test_the_agent_is_named_and_the_way_told() -> None:
    assert bare_agent("cd a && timeout 5 claude -p x") == "claude"
    told = reason("claude")
    assert "sideshoot run --agent claude" in told
    assert "--disable-guard" in told


@pytest.mark.parametrize("depth", [50, 5_000])
def test_what_is_nested_too_deep_goes_through(depth: int) -> None:
    assert bare_agent("$(" * depth + "codex" + ")" * depth) in ("codex", None)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
@pytest.mark.parametrize("line", [line for line in STARTS if "=(" not in line])
def test_bash_takes_the_lines_of_the_table_too(line: str) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=script(line).encode(), capture_output=True, timeout=60
    )
    assert checked.returncode == 0, checked.stderr


@given(st.text(alphabet="ab $(){}[]<>|&;'\"`\\\n#=!-esacinforw", max_size=40))
def test_whatever_is_written_is_read_to_an_end(text: str) -> None:
    try:
        found = commands_of(text)
    except Unclear:
        return
    assert all(command.words for command in found)
