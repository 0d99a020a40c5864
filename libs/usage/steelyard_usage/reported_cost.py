"""What a provider says that a request cost: OpenRouter and some gateways do."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation, localcontext

from steelyard_usage.provider_usage import ReportedCost
from steelyard_usage.untrusted import Section

_PICODOLLARS = Decimal(10**12)
_MAX_PICODOLLARS = 2**63 - 1
_MAX_TEXT = 40
# Digits of the largest amount and more decimals than any double has: nothing is rounded early.
_PRECISION = 80


def read_cost(body: Section) -> tuple[ReportedCost | None, bool]:
    """Return the reported cost, and whether all amounts that are there could be read.

    OpenRouter has `cost` and `cost_details.upstream_inference_cost`, in USD. Perplexity's `cost` is
    an object with a `total_cost`.
    """
    charged = body.raw("cost")
    if isinstance(charged, Mapping):
        charged = charged.get("total_cost")
    details = body.raw("cost_details")
    upstream = details.get("upstream_inference_cost") if isinstance(details, Mapping) else None
    cost = ReportedCost(
        charged_picodollars=picodollars(charged),
        upstream_picodollars=picodollars(upstream),
        is_byok=body.flag("is_byok"),
    )
    is_charge_read = (charged is None) == (cost.charged_picodollars is None)
    is_upstream_read = (upstream is None) == (cost.upstream_picodollars is None)
    has_amount = cost.charged_picodollars is not None or cost.upstream_picodollars is not None
    return cost if has_amount else None, is_charge_read and is_upstream_read


def picodollars(value: object) -> int | None:
    """Return an amount in USD as picodollars, rounded half-even, None when it is no amount >= 0.

    A float stands for its shortest decimal text, which is what the provider sent.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, int) and abs(value) > _MAX_PICODOLLARS:
        return None
    text = str(value)
    if len(text) > _MAX_TEXT:
        return None
    try:
        with localcontext(prec=_PRECISION):
            amount = Decimal(text) * _PICODOLLARS
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _MAX_PICODOLLARS:
        return None
    return round(amount)
