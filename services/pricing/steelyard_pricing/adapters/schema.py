"""The tables of the pricing service, as the steps that lead to them."""

from steelyard_common.leases import LEASE_TABLE
from steelyard_common.migrations import Migration
from steelyard_pricing.adapters.negotiation_store import NEGOTIATION_MIGRATION

MIGRATIONS = (
    Migration(
        (
            """CREATE TABLE source_state (
                source VARCHAR(64) PRIMARY KEY,
                last_success_time TIMESTAMP WITH TIME ZONE,
                last_attempt_time TIMESTAMP WITH TIME ZONE,
                failure_cause VARCHAR(64),
                failure_message VARCHAR(1024),
                failure_time TIMESTAMP WITH TIME ZONE,
                attempts VARCHAR(128) NOT NULL
            )""",
            "CREATE TABLE snapshot_version (id INTEGER PRIMARY KEY, version BIGINT NOT NULL)",
            "INSERT INTO snapshot_version (id, version) VALUES (1, 0)",
            """CREATE TABLE fact_observation (
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                digest VARCHAR(32) NOT NULL,
                observed_time TIMESTAMP WITH TIME ZONE NOT NULL,
                PRIMARY KEY (source, offer)
            )""",
        )
    ),
    Migration(
        (
            LEASE_TABLE,
            "DROP TABLE fact_observation",
            "DROP TABLE snapshot_version",
            """CREATE TABLE source_copy (
                source VARCHAR(64) PRIMARY KEY,
                url VARCHAR(2048) NOT NULL,
                etag VARCHAR(1024),
                last_modified VARCHAR(256),
                sha256 VARCHAR(64) NOT NULL,
                edition_date DATE,
                entry_count INTEGER NOT NULL,
                fetched_time TIMESTAMP WITH TIME ZONE
            )""",
            # The one row that says which snapshot is served.
            "CREATE TABLE served_snapshot (id INTEGER PRIMARY KEY, version BIGINT NOT NULL)",
            "INSERT INTO served_snapshot (id, version) VALUES (1, 0)",
            """CREATE TABLE snapshot (
                version BIGINT PRIMARY KEY,
                published_time TIMESTAMP WITH TIME ZONE NOT NULL,
                cause VARCHAR(16) NOT NULL,
                note VARCHAR(1024) NOT NULL,
                added_count INTEGER NOT NULL,
                changed_count INTEGER NOT NULL,
                removed_count INTEGER NOT NULL,
                unchanged_count INTEGER NOT NULL
            )""",
            # What each source says of each offer, and in which versions. Rows are only ever closed.
            """CREATE TABLE price_fact (
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                from_version BIGINT NOT NULL,
                to_version BIGINT,
                observed_time TIMESTAMP WITH TIME ZONE NOT NULL,
                effective_time TIMESTAMP WITH TIME ZONE NOT NULL,
                content TEXT NOT NULL,
                PRIMARY KEY (source, offer, from_version)
            )""",
            "CREATE INDEX price_fact_current ON price_fact (to_version, source, offer)",
            # What happened to the price that is served. Rows never change.
            """CREATE TABLE price_change (
                version BIGINT NOT NULL,
                offer VARCHAR(512) NOT NULL,
                kind SMALLINT NOT NULL,
                effective_time TIMESTAMP WITH TIME ZONE NOT NULL,
                recorded_time TIMESTAMP WITH TIME ZONE NOT NULL,
                before_time TIMESTAMP WITH TIME ZONE,
                before_content TEXT,
                after_time TIMESTAMP WITH TIME ZONE,
                after_content TEXT,
                charged_content TEXT,
                ratio DOUBLE PRECISION NOT NULL,
                magnitude DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (version, offer)
            )""",
            "CREATE INDEX price_change_offer ON price_change (offer, version)",
            """CREATE TABLE held_change (
                held_change_id VARCHAR(64) PRIMARY KEY,
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                guard VARCHAR(64) NOT NULL,
                explanation VARCHAR(1024) NOT NULL,
                served_time TIMESTAMP WITH TIME ZONE,
                served_content TEXT,
                held_content TEXT,
                first_seen_time TIMESTAMP WITH TIME ZONE NOT NULL,
                last_seen_time TIMESTAMP WITH TIME ZONE NOT NULL,
                sighting_count INTEGER NOT NULL,
                state SMALLINT NOT NULL,
                reviewer VARCHAR(256) NOT NULL,
                note VARCHAR(1024) NOT NULL,
                review_time TIMESTAMP WITH TIME ZONE,
                body_sha256 VARCHAR(64) NOT NULL
            )""",
            "CREATE INDEX held_change_state ON held_change (state, held_change_id)",
            """CREATE TABLE held_body (
                held_change_id VARCHAR(64) PRIMARY KEY,
                body TEXT NOT NULL
            )""",
            # Prices that are not taken over although their source says them; an empty content
            # stands for the offer being gone.
            """CREATE TABLE refusal (
                source VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                digest VARCHAR(64) NOT NULL,
                price TEXT NOT NULL,
                PRIMARY KEY (source, offer, digest)
            )""",
        )
    ),
    NEGOTIATION_MIGRATION,
)
