"""The shape of the store, and how it came to be."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # `record` is the job as JSON; the other columns are what is asked for and compared.
        # `workspace` says whether the record names one.
        """
        CREATE TABLE job (
            id TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            outcome TEXT,
            decision TEXT NOT NULL,
            created_at REAL NOT NULL,
            finished_at REAL,
            session TEXT,
            agent TEXT NOT NULL,
            workspace INTEGER NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX job_created ON job (created_at, id)",
        "CREATE INDEX job_unsettled ON job (state, decision, workspace)",
        "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
)
"""Each item leads from the version of its place in the list to the next; a released one never
changes. `PRAGMA user_version` says which version a store has."""

VERSION = len(MIGRATIONS)

_COLUMNS = "id, state, outcome, decision, created_at, finished_at, session, record"

INSERT_JOB = """
    INSERT INTO job (id, state, outcome, decision, created_at, finished_at, session, agent,
                     workspace, record)
    VALUES (:id, :state, :outcome, :decision, :created_at, :finished_at, :session, :agent,
            :workspace, :record)
"""

REPLACE_JOB = INSERT_JOB.replace("INSERT", "INSERT OR REPLACE", 1)

UPDATE_JOB = """
    UPDATE job
    SET state = :state, outcome = :outcome, decision = :decision, finished_at = :finished_at,
        workspace = :workspace, record = :record
    WHERE id = :id AND state IN ({states}) AND decision IN ({decisions})
"""

DELETE_JOB = "DELETE FROM job WHERE id = ? AND state = 'finished'"

COUNT_JOBS = "SELECT count(*) FROM job"

GET_JOB = f"SELECT {_COLUMNS} FROM job WHERE id = ?"

# Ids are ASCII letters and digits, so that nothing in a prefix has a meaning for GLOB.
FIND_JOBS = f"SELECT {_COLUMNS} FROM job WHERE id GLOB ? ORDER BY id LIMIT 20"

LIST_JOBS = f"""
    SELECT {_COLUMNS} FROM job
    WHERE state IN ({{states}}) AND (:session IS NULL OR session = :session)
    ORDER BY created_at DESC, id DESC LIMIT :limit
"""

# A job that should have a worker, and a workspace that should have gone.
LIST_UNSETTLED = f"""
    SELECT {_COLUMNS} FROM job
    WHERE state IN ('queued', 'running')
       OR (workspace = 1 AND state = 'finished' AND decision IN ('kept', 'discarded'))
    ORDER BY created_at, id
"""

GET_SETTING = "SELECT value FROM setting WHERE key = ?"
SET_SETTING = "INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)"
DELETE_SETTING = "DELETE FROM setting WHERE key = ?"
LIST_SETTINGS = "SELECT key, value FROM setting"
