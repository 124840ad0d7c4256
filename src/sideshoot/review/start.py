"""Begin a review: a job that may only look, with all that its agent has to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sideshoot.errors import UsageError
from sideshoot.jobs.brief import Brief
from sideshoot.jobs.create import create, prepared
from sideshoot.jobs.store import Store
from sideshoot.model import Isolation, Request, Reviewed, ReviewKind
from sideshoot.review.material import gather
from sideshoot.review.prompts import instructions_for, prompt_for
from sideshoot.review.schema import SCHEMA
from sideshoot.review.sides import release
from sideshoot.review.target import texts

if TYPE_CHECKING:
    from sideshoot.agents.base import Reviewing
    from sideshoot.git import Repository
    from sideshoot.model import Job
    from sideshoot.review.target import Target


def begin(
    repository: Repository,
    target: Target,
    request: Request,
    *,
    kind: ReviewKind,
    session: str | None = None,
) -> Job:
    """Record the review of a change as a job, for `sideshoot.jobs.work` or `launch`.

    It looks at the user's own tree where that is what the change led to, and otherwise at a copy
    that goes afterwards.

    :param request: who does it and within which limits; its prompt is what to look at above all.
    :raises UsageError: the agent can't review.
    :raises AgentUnavailable: nobody knows the agent.
    """
    try:
        brief = brief_for(repository, target, request, kind)
        asked = replace(
            request,
            isolation=Isolation.READ_ONLY,
            base=None if target.is_here else target.after,
            review=_reviewed(target, kind),
        )
        return create(repository, asked, session=session, brief=brief)
    finally:
        release(repository, target.refs)


def _reviewed(target: Target, kind: ReviewKind) -> Reviewed:
    return Reviewed(
        kind=kind,
        what=target.what,
        before=target.before,
        after=target.after,
        paths=texts(target.paths),
        job=target.job,
    )


def brief_for(repository: Repository, target: Target, request: Request, kind: ReviewKind) -> Brief:
    """What the agent is told: by its own reviewer's means if it has one, else in a prompt."""
    reviewing = reviewing_of(repository, request)
    if kind is ReviewKind.REVIEW and reviewing.has_reviewer and target.reviewer is not None:
        return Brief("", reviewer=target.reviewer)
    material = gather(repository, target, limit=reviewing.inline_bytes)
    if kind is ReviewKind.REVIEW and reviewing.has_reviewer:
        instructions = instructions_for(target, material)
        return Brief("", reviewer={"type": "custom", "instructions": instructions})
    prompt = prompt_for(
        kind,
        target,
        material,
        focus=request.prompt,
        has_shell=reviewing.has_shell,
        schema=SCHEMA,
    )
    return Brief(prompt, output_schema=SCHEMA)


def reviewing_of(repository: Repository, request: Request) -> Reviewing:
    """What the agent of a request can do for a review.

    :raises UsageError: it can't review.
    :raises AgentUnavailable: nobody knows the agent.
    """
    store = Store.open(repository.state_dir) if repository.state_dir.exists() else None
    agent, _ = prepared(repository, store, request)
    if agent.reviewing is None:
        raise UsageError(
            f"{request.agent} can't review: it takes an agent that can be held to looking"
        )
    return agent.reviewing
