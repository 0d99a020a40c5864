"""The tables of the health service as queries see them; `schema.py` makes them."""

import sqlalchemy as sa

from steelyard_common.columns import UtcDateTime

_METADATA = sa.MetaData()

STATUS_PAGE = sa.Table(
    "status_page",
    _METADATA,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("level", sa.SmallInteger),
    sa.Column("description", sa.Text),
    sa.Column("page_url", sa.String),
    sa.Column("checked_time", UtcDateTime),
    sa.Column("read_time", UtcDateTime),
    sa.Column("problem", sa.Text),
)
INCIDENT = sa.Table(
    "incident",
    _METADATA,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("incident_id", sa.String, primary_key=True),
    sa.Column("title", sa.Text),
    sa.Column("level", sa.SmallInteger),
    sa.Column("components", sa.Text),
    sa.Column("touches_api", sa.Boolean),
    sa.Column("start_time", UtcDateTime),
    sa.Column("end_time", UtcDateTime),
    sa.Column("update_time", UtcDateTime),
    sa.Column("url", sa.String),
    sa.Column("description", sa.Text),
)
ALERT = sa.Table(
    "alert",
    _METADATA,
    sa.Column("alert_id", sa.String, primary_key=True),
    sa.Column("tenant_id", sa.String),
    sa.Column("provider", sa.String),
    sa.Column("offer", sa.String),
    sa.Column("state", sa.SmallInteger),
    sa.Column("start_time", UtcDateTime),
    sa.Column("end_time", UtcDateTime),
    sa.Column("evidence", sa.Text),
)
DELIVERY = sa.Table(
    "webhook_delivery",
    _METADATA,
    sa.Column("delivery_id", sa.String, primary_key=True),
    sa.Column("alert_id", sa.String),
    sa.Column("step", sa.SmallInteger),
    sa.Column("body", sa.Text),
    sa.Column("created_time", UtcDateTime),
    sa.Column("attempt_count", sa.Integer),
    sa.Column("next_attempt_time", UtcDateTime),
)
MAINTENANCE = sa.Table(
    "maintenance",
    _METADATA,
    sa.Column("provider", sa.String, primary_key=True),
    sa.Column("offer", sa.String, primary_key=True),
    sa.Column("start_time", UtcDateTime),
    sa.Column("end_time", UtcDateTime),
    sa.Column("note", sa.Text),
    sa.Column("actor", sa.String),
)
ACTION = sa.Table(
    "health_action",
    _METADATA,
    sa.Column("action_id", sa.String, primary_key=True),
    sa.Column("kind", sa.SmallInteger),
    sa.Column("provider", sa.String),
    sa.Column("offer", sa.String),
    sa.Column("actor", sa.String),
    sa.Column("time", UtcDateTime),
    sa.Column("note", sa.Text),
    sa.Column("start_time", UtcDateTime),
    sa.Column("end_time", UtcDateTime),
)
PROBE_SPEND = sa.Table(
    "probe_spend",
    _METADATA,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("picodollars", sa.BigInteger),
)
