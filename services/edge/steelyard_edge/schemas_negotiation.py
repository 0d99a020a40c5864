"""What answers about agreed prices and margins look like, for OpenAPI."""

from datetime import datetime

from steelyard_edge.schemas import Documented, Page, Rates


class Override(Rates):
    """A price that the caller's tenant has agreed with a seller."""

    override_id: str
    offer: str | None
    provider: str | None
    """Set instead of an offer when it applies to all of a seller."""
    factor_basis_points: int | None
    """Factor on every listed rate, instead of rates: 9000 is 10 % off."""
    start_time: datetime | None
    end_time: datetime | None
    """Null when it never ends."""
    note: str | None


class Overrides(Page):
    """Overrides, newest first."""

    overrides: list[Override]


class OverrideDeleted(Documented):
    """The override that ended."""

    override_id: str


class FixedPrice(Rates):
    """What is charged for one offer, whatever its seller charges."""

    offer: str


class MarginRule(Documented):
    """The markup on the prices of one tenant or plan, and the floor under it."""

    tenant_id: str | None
    plan: str | None
    markup_basis_points: int
    """On cost: 2000 is 20 %."""
    floor_basis_points: int
    """Of the price; below it, the report has an entry."""
    fixed_prices: list[FixedPrice]
    plan_tenant_ids: list[str]


class MarginRules(Documented):
    """Every rule, those of plans first."""

    rules: list[MarginRule]


class MarginRuleName(Documented):
    """Whom a rule is for: one of the two is set."""

    tenant_id: str | None
    plan: str | None


class MarginEntry(Documented):
    """The margin of one rule on one offer."""

    rule: MarginRuleName
    offer: str
    margin_basis_points: int
    """Of the price, at present."""
    floor_basis_points: int
    below_floor: bool
    change_time: datetime | None
    """When the change was that brought it there; null when none did."""
    tenant_ids: list[str]


class MarginReport(Documented):
    """Margins below their floor or close to it, the thinnest first."""

    entries: list[MarginEntry]
    snapshot_version: int
