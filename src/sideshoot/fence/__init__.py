"""A fence around an agent: outside of its workspace nothing is written.

::

    model       what a fence is: the level, what may be written, what may not
    mechanism   how it can be put up on this machine
    enclose     the command that starts a program inside, and its environment
    launch      what stays beside bubblewrap
    enter       the last step before the program, run inside the fence
    leak        what changed in a folder while a program ran without a fence

`docs/fence.md` says what each mechanism holds back and what it does not.
"""
