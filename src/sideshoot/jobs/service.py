"""What hosts ask of jobs, in one place; each part is loaded when it is first needed.

::

    create     record a job, before anything else
    work       do it here, to its end
    launch     have it done by a detached worker
    cancel     stop it
    wait       until jobs are finished
    follow     its events, as they come
    recover    mend what died; every command that looks does so first
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sideshoot.jobs.recover import recover

if TYPE_CHECKING:
    from sideshoot.jobs.cancel import cancel
    from sideshoot.jobs.create import create
    from sideshoot.jobs.follow import follow
    from sideshoot.jobs.launch import launch
    from sideshoot.jobs.wait import wait
    from sideshoot.jobs.work import work

__all__ = ["cancel", "create", "follow", "launch", "recover", "wait", "work"]


def __getattr__(name: str) -> Any:
    # `status` needs `recover` alone, and has to be quick.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"sideshoot.jobs.{name}"), name)
