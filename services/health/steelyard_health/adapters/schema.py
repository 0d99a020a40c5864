"""The tables of the health service, as the steps that lead to them."""

from steelyard_common.leases import LEASE_TABLE
from steelyard_common.migrations import Migration

MIGRATIONS = (
    Migration(
        (
            LEASE_TABLE,
            """CREATE TABLE status_page (
                provider VARCHAR(64) PRIMARY KEY,
                level SMALLINT NOT NULL,
                description TEXT NOT NULL,
                page_url VARCHAR(2048) NOT NULL,
                checked_time TIMESTAMP WITH TIME ZONE NOT NULL,
                read_time TIMESTAMP WITH TIME ZONE,
                problem TEXT NOT NULL
            )""",
            """CREATE TABLE incident (
                provider VARCHAR(64) NOT NULL,
                incident_id VARCHAR(256) NOT NULL,
                title TEXT NOT NULL,
                level SMALLINT NOT NULL,
                components TEXT NOT NULL,
                touches_api BOOLEAN NOT NULL,
                start_time TIMESTAMP WITH TIME ZONE NOT NULL,
                end_time TIMESTAMP WITH TIME ZONE,
                update_time TIMESTAMP WITH TIME ZONE,
                url VARCHAR(2048) NOT NULL,
                description TEXT NOT NULL,
                PRIMARY KEY (provider, incident_id)
            )""",
            "CREATE INDEX incident_start ON incident (start_time, provider, incident_id)",
            # An empty tenant means that everybody is told.
            """CREATE TABLE alert (
                alert_id VARCHAR(64) PRIMARY KEY,
                tenant_id VARCHAR(64) NOT NULL,
                provider VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                state SMALLINT NOT NULL,
                start_time TIMESTAMP WITH TIME ZONE NOT NULL,
                end_time TIMESTAMP WITH TIME ZONE,
                evidence TEXT NOT NULL
            )""",
            "CREATE INDEX alert_subject ON alert (tenant_id, provider, offer, start_time)",
            # Of several replicas that see the same, one begins the alert.
            """CREATE UNIQUE INDEX alert_open ON alert (tenant_id, provider, offer)
                WHERE end_time IS NULL""",
            "CREATE INDEX alert_start ON alert (start_time, alert_id)",
            """CREATE TABLE webhook_delivery (
                delivery_id VARCHAR(64) PRIMARY KEY,
                alert_id VARCHAR(64) NOT NULL,
                step SMALLINT NOT NULL,
                body TEXT NOT NULL,
                created_time TIMESTAMP WITH TIME ZONE NOT NULL,
                attempt_count INTEGER NOT NULL,
                next_attempt_time TIMESTAMP WITH TIME ZONE NOT NULL
            )""",
            "CREATE INDEX webhook_delivery_due ON webhook_delivery (next_attempt_time)",
            "CREATE UNIQUE INDEX webhook_delivery_step ON webhook_delivery (alert_id, step)",
            """CREATE TABLE maintenance (
                provider VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                start_time TIMESTAMP WITH TIME ZONE NOT NULL,
                end_time TIMESTAMP WITH TIME ZONE NOT NULL,
                note TEXT NOT NULL,
                actor VARCHAR(256) NOT NULL,
                PRIMARY KEY (provider, offer)
            )""",
            # Rows never change.
            """CREATE TABLE health_action (
                action_id VARCHAR(64) PRIMARY KEY,
                kind SMALLINT NOT NULL,
                provider VARCHAR(64) NOT NULL,
                offer VARCHAR(512) NOT NULL,
                actor VARCHAR(256) NOT NULL,
                time TIMESTAMP WITH TIME ZONE NOT NULL,
                note TEXT NOT NULL,
                start_time TIMESTAMP WITH TIME ZONE,
                end_time TIMESTAMP WITH TIME ZONE
            )""",
            "CREATE INDEX health_action_provider ON health_action (provider, action_id)",
            """CREATE TABLE probe_spend (
                day DATE PRIMARY KEY,
                picodollars BIGINT NOT NULL
            )""",
        )
    ),
)
