"""Price changes as rows."""

import sqlalchemy as sa

from steelyard_pricing.adapters.fact_text import FactReader, write_fact
from steelyard_pricing.domain.changes import ChangeKind, PriceChange
from steelyard_pricing.domain.snapshot import ObservedFact


def change_row(change: PriceChange) -> dict[str, object]:
    """Return the row of a change."""
    before, after = change.before, change.after
    return {
        "version": change.version,
        "offer": change.offer,
        "kind": int(change.kind),
        "effective_time": change.effective_time,
        "recorded_time": change.recorded_time,
        "before_time": before.observed_time if before else None,
        "before_content": write_fact(before.fact) if before else None,
        "after_time": after.observed_time if after else None,
        "after_content": write_fact(after.fact) if after else None,
        "charged_content": write_fact(change.charged) if change.charged else None,
        "ratio": change.ratio,
        "magnitude": max(change.ratio, 1 / change.ratio) if change.ratio else 0.0,
    }


def to_change(row: sa.RowMapping, reader: FactReader) -> PriceChange:
    """Return the change of a row."""
    charged = row["charged_content"]
    return PriceChange(
        version=row["version"],
        offer=row["offer"],
        kind=ChangeKind(row["kind"]),
        before=_observed(row, "before", reader),
        after=_observed(row, "after", reader),
        charged=reader.read(charged) if charged else None,
        effective_time=row["effective_time"],
        recorded_time=row["recorded_time"],
        ratio=row["ratio"],
    )


def _observed(row: sa.RowMapping, which: str, reader: FactReader) -> ObservedFact | None:
    content = row[f"{which}_content"]
    if content is None:
        return None
    return ObservedFact(reader.read(content), row[f"{which}_time"])
