"""The tables of the registry, as the steps that lead to them.

What is only ever read whole is kept as one text (see `state_text.py`); columns are for what is
searched.
"""

from steelyard_common.leases import LEASE_TABLE
from steelyard_common.migrations import Migration

MIGRATIONS = (
    Migration(
        (
            LEASE_TABLE,
            # The one row that says which state is kept, and which catalogue is made of it.
            """CREATE TABLE served_state (
                id INTEGER PRIMARY KEY,
                revision BIGINT NOT NULL,
                version BIGINT NOT NULL,
                published_time TIMESTAMP WITH TIME ZONE,
                digest VARCHAR(64) NOT NULL,
                day DATE NOT NULL,
                is_stale BOOLEAN NOT NULL
            )""",
            """INSERT INTO served_state (id, revision, version, digest, day, is_stale)
                VALUES (1, 0, 0, '', '0001-01-01', TRUE)""",
            """CREATE TABLE offer_record (
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                content TEXT NOT NULL,
                PRIMARY KEY (source, offer)
            )""",
            """CREATE TABLE source_state (
                source VARCHAR(64) PRIMARY KEY,
                content TEXT NOT NULL
            )""",
            """CREATE TABLE score_edition (
                source VARCHAR(64) NOT NULL,
                edition_date DATE NOT NULL,
                content TEXT NOT NULL,
                PRIMARY KEY (source, edition_date)
            )""",
            """CREATE TABLE hand_decision (
                name VARCHAR(512) PRIMARY KEY,
                content TEXT NOT NULL
            )""",
            """CREATE TABLE score_correction (
                model VARCHAR(512) NOT NULL,
                task SMALLINT NOT NULL,
                content TEXT NOT NULL,
                PRIMARY KEY (model, task)
            )""",
            # Rows never change.
            """CREATE TABLE catalog_event (
                event_id BIGINT PRIMARY KEY,
                time TIMESTAMP WITH TIME ZONE NOT NULL,
                version BIGINT NOT NULL,
                kind SMALLINT NOT NULL,
                model VARCHAR(512) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                changes TEXT NOT NULL,
                actor VARCHAR(256) NOT NULL,
                note VARCHAR(1024) NOT NULL
            )""",
            "CREATE INDEX catalog_event_model ON catalog_event (model, event_id)",
            "CREATE INDEX catalog_event_offer ON catalog_event (offer, event_id)",
        )
    ),
)
