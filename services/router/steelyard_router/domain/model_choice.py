"""What the `model` of a request says: a free choice, a policy, a tier, or a name to honour."""

from typing import NamedTuple

from steelyard_router.domain.policy import NAMED_WEIGHTS
from steelyard_router.domain.tier import NAMES, Tier

AUTO = "auto"
_AUTO_PREFIX = f"{AUTO}:"
_TIER_PREFIX = "tier:"


class UnknownChoiceError(ValueError):
    """`auto:` or `tier:` with a word that is none of theirs; the message lists those."""


class ModelChoice(NamedTuple):
    """At most one of the three is set."""

    name: str = ""
    policy: str = ""
    tier: Tier | None = None


def parse_model(model: str) -> ModelChoice:
    """Read `auto`, ``, `auto:cheap`, `tier:heavy` or a name.

    Raises:
        UnknownChoiceError: The word after `auto:` or `tier:` is unknown.
    """
    if model in {"", AUTO}:
        return ModelChoice()
    if model.startswith(_AUTO_PREFIX):
        return ModelChoice(policy=_known(model, _AUTO_PREFIX, tuple(NAMED_WEIGHTS)))
    if model.startswith(_TIER_PREFIX):
        return ModelChoice(tier=NAMES[_known(model, _TIER_PREFIX, tuple(NAMES))])
    return ModelChoice(name=model)


def _known(model: str, prefix: str, allowed: tuple[str, ...]) -> str:
    word = model.removeprefix(prefix)
    if word not in allowed:
        choices = ", ".join(f"{prefix}{each}" for each in allowed)
        raise UnknownChoiceError(f"must be one of {choices}, or the name of a model")
    return word
