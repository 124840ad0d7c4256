"""`sideshoot completion`: the script that teaches a shell to complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sideshoot.cli import output
from sideshoot.cli.command import Command

if TYPE_CHECKING:
    from sideshoot.cli.command import Call

VARIABLE = "_SIDESHOOT_COMPLETE"

EXAMPLES = """\
sideshoot completion bash >> ~/.bashrc
sideshoot completion zsh >> ~/.zshrc
sideshoot completion fish > ~/.config/fish/completions/sideshoot.fish"""

HELP = """Print the script with which a shell completes commands, options and jobs."""


@click.command("completion", cls=Command, help=HELP, example=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="SHELL")
def command(call: Call, shell: str) -> int:
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    from sideshoot.cli.main import NAME, commands  # noqa: PLC0415 - which loads this module

    found = get_completion_class(shell)
    assert found is not None
    # The script alone: `source()` would also run bash, to ask how old it is.
    completion = found(commands, {}, NAME, VARIABLE)
    script = completion.source_template % completion.source_vars()
    if call.json:
        output.say_object({"shell": shell, "script": script})
    else:
        output.say(script)
    return 0
