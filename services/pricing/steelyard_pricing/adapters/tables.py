"""The tables of the pricing service as SQLAlchemy knows them; `schema.py` makes them."""

import sqlalchemy as sa

from steelyard_common.columns import UtcDateTime

_metadata = sa.MetaData()

STATE = sa.Table(
    "source_state",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("last_success_time", UtcDateTime),
    sa.Column("last_attempt_time", UtcDateTime),
    sa.Column("failure_cause", sa.String),
    sa.Column("failure_message", sa.String),
    sa.Column("failure_time", UtcDateTime),
    sa.Column("attempts", sa.String),
)
COPY = sa.Table(
    "source_copy",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("url", sa.String),
    sa.Column("etag", sa.String),
    sa.Column("last_modified", sa.String),
    sa.Column("sha256", sa.String),
    sa.Column("edition_date", sa.Date),
    sa.Column("entry_count", sa.Integer),
    sa.Column("fetched_time", UtcDateTime),
)
SERVED = sa.Table(
    "served_snapshot",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.BigInteger),
)
SNAPSHOT = sa.Table(
    "snapshot",
    _metadata,
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("published_time", UtcDateTime),
    sa.Column("cause", sa.String),
    sa.Column("note", sa.String),
    sa.Column("added_count", sa.Integer),
    sa.Column("changed_count", sa.Integer),
    sa.Column("removed_count", sa.Integer),
    sa.Column("unchanged_count", sa.Integer),
)
FACT = sa.Table(
    "price_fact",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("from_version", sa.BigInteger, primary_key=True),
    sa.Column("to_version", sa.BigInteger),
    sa.Column("observed_time", UtcDateTime),
    sa.Column("effective_time", UtcDateTime),
    sa.Column("content", sa.Text),
)
CHANGE = sa.Table(
    "price_change",
    _metadata,
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("kind", sa.SmallInteger),
    sa.Column("effective_time", UtcDateTime),
    sa.Column("recorded_time", UtcDateTime),
    sa.Column("before_time", UtcDateTime),
    sa.Column("before_content", sa.Text),
    sa.Column("after_time", UtcDateTime),
    sa.Column("after_content", sa.Text),
    sa.Column("charged_content", sa.Text),
    sa.Column("ratio", sa.Double),
    sa.Column("magnitude", sa.Double),
)
HELD = sa.Table(
    "held_change",
    _metadata,
    sa.Column("held_change_id", sa.String, primary_key=True),
    sa.Column("source", sa.String),
    sa.Column("offer", sa.String),
    sa.Column("guard", sa.String),
    sa.Column("explanation", sa.String),
    sa.Column("served_time", UtcDateTime),
    sa.Column("served_content", sa.Text),
    sa.Column("held_content", sa.Text),
    sa.Column("first_seen_time", UtcDateTime),
    sa.Column("last_seen_time", UtcDateTime),
    sa.Column("sighting_count", sa.Integer),
    sa.Column("state", sa.SmallInteger),
    sa.Column("reviewer", sa.String),
    sa.Column("note", sa.String),
    sa.Column("review_time", UtcDateTime),
    sa.Column("body_sha256", sa.String),
)
HELD_BODY = sa.Table(
    "held_body",
    _metadata,
    sa.Column("held_change_id", sa.String, primary_key=True),
    sa.Column("body", sa.Text),
)
REFUSAL = sa.Table(
    "refusal",
    _metadata,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("price", sa.Text),
)
