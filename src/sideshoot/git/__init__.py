"""The one place that runs git."""

from sideshoot.git.command import MINIMUM_VERSION, Git, Output
from sideshoot.git.repository import Repository, discover

__all__ = ["MINIMUM_VERSION", "Git", "Output", "Repository", "discover"]
