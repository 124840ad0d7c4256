"""What can be set, where, and what is in force; above all files that people write by hand."""

from sideshoot.config.config import (
    AgentSettings,
    Config,
    InForce,
    WorkspaceSettings,
    load,
    require_consent,
)
from sideshoot.config.consent import Item, consent, withdraw
from sideshoot.config.layer import Origin
from sideshoot.config.settings import AGENT_SETTINGS, SETTINGS, Setting, named

__all__ = [
    "AGENT_SETTINGS",
    "SETTINGS",
    "AgentSettings",
    "Config",
    "InForce",
    "Item",
    "Origin",
    "Setting",
    "WorkspaceSettings",
    "consent",
    "load",
    "named",
    "require_consent",
    "withdraw",
]
