"""The tables of the registry as queries see them; `schema.py` makes them."""

import sqlalchemy as sa

from steelyard_common.columns import UtcDateTime

_METADATA = sa.MetaData()

SERVED = sa.Table(
    "served_state",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.BigInteger),
    sa.Column("version", sa.BigInteger),
    sa.Column("published_time", UtcDateTime),
    sa.Column("digest", sa.String),
    sa.Column("day", sa.Date),
    sa.Column("is_stale", sa.Boolean),
)
OFFER = sa.Table(
    "offer_record",
    _METADATA,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("content", sa.Text),
)
SOURCE = sa.Table(
    "source_state",
    _METADATA,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("content", sa.Text),
)
EDITION = sa.Table(
    "score_edition",
    _METADATA,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("edition_date", sa.Date, primary_key=True),
    sa.Column("content", sa.Text),
)
DECISION = sa.Table(
    "hand_decision",
    _METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("content", sa.Text),
)
CORRECTION = sa.Table(
    "score_correction",
    _METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("task", sa.SmallInteger, primary_key=True),
    sa.Column("content", sa.Text),
)
EVENT = sa.Table(
    "catalog_event",
    _METADATA,
    sa.Column("event_id", sa.BigInteger, primary_key=True),
    sa.Column("time", UtcDateTime),
    sa.Column("version", sa.BigInteger),
    sa.Column("kind", sa.SmallInteger),
    sa.Column("model", sa.String),
    sa.Column("offer", sa.String),
    sa.Column("changes", sa.Text),
    sa.Column("actor", sa.String),
    sa.Column("note", sa.String),
)
