"""Which model an offer sells, and which offer a name means. Never by substring."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from steelyard_catalog.entries import CatalogueEntry
from steelyard_catalog.families import maker_of
from steelyard_catalog.openrouter import PROVIDER as OPENROUTER
from steelyard_catalog.openrouter import OpenRouterEntry
from steelyard_catalog.spelling import snapshot_of, spelled

MAX_NAME_LENGTH = 512
# Kinds of work whose names mean the same model at every seller. Names of voices, images and
# searches do not: many sell a `nova`, a `base` or a `search`.
_JOINED_MODES = frozenset(
    {"chat", "completion", "embedding", "moderation", "rerank", "responses", ""}
)


@dataclass(frozen=True, slots=True)
class OfferName:
    """An offer and the names it goes by."""

    offer: str
    provider: str
    provider_model: str
    model: str
    """Canonical id of the model."""
    source_key: str

    @property
    def is_makers_own(self) -> bool:
        """Whether the seller is who made the model."""
        return maker_of(self.model) == self.provider


def canonical_model(entry: CatalogueEntry | OpenRouterEntry) -> str:
    """Return the id of the model that an entry sells: its offer id when no rule is certain."""
    if isinstance(entry, OpenRouterEntry):
        return canonical_name(OPENROUTER, entry.id.removeprefix("~"), "chat")
    return canonical_name(entry.provider, entry.provider_model, entry.mode)


def canonical_name(provider: str, provider_model: str, mode: str) -> str:
    """Return the id of the model that a seller calls `provider_model`; see `canonical_model`."""
    name = spelled(provider, provider_model)
    maker = maker_of(name)
    if mode in _JOINED_MODES:
        # An author in the path (`meta-llama/...`) says as much as a known family.
        is_known = bool(maker) or "/" in provider_model
    else:
        is_known = maker == provider and "/" not in provider_model
    return name if is_known else f"{provider}/{provider_model.lower()}"


def offer_name(entry: CatalogueEntry | OpenRouterEntry) -> OfferName:
    """Return the names of an entry's offer."""
    if isinstance(entry, OpenRouterEntry):
        provider, _, provider_model = entry.offer.partition("/")
        return OfferName(entry.offer, provider, provider_model, canonical_model(entry), entry.id)
    return OfferName(
        entry.offer,
        entry.provider,
        entry.provider_model,
        canonical_model(entry),
        entry.source_key,
    )


def aliases(name: OfferName) -> tuple[str, ...]:
    """Return the names that an offer answers to besides its id, most specific first."""
    candidates = (
        name.source_key,
        name.provider_model,
        name.provider_model.rpartition("/")[2],
        f"{name.provider}/{name.model}",
        name.model,
    )
    return tuple(alias for alias in dict.fromkeys(candidates) if alias and alias != name.offer)


class NameIndex:
    """Finds the offer that a name means, in constant time.

    Exact ids come first, then ids without regard to case, then aliases from the most specific to
    the canonical model id. Where several offers share an alias, it means the maker's own (of
    several snapshots the latest); when none is the maker's, it means nothing.
    """

    def __init__(self, names: Iterable[OfferName], *, by_id_only: Iterable[OfferName] = ()) -> None:
        """Index offers.

        Args:
            names: Offers that answer to every name of theirs.
            by_id_only: Offers that answer to their ids alone, so that a catalogue which others do
                not have never changes what a plain name means.
        """
        known, others = tuple(names), tuple(by_id_only)
        everything = (*known, *others)
        self._offers = {name.offer for name in everything}
        self._lower = {name.offer.lower(): name.offer for name in reversed(everything)}
        self._sellers = {name.provider for name in everything}
        self._aliases = _meanings(known)

    def __contains__(self, offer: object) -> bool:
        return offer in self._offers

    def __iter__(self) -> Iterator[str]:
        return iter(self._offers)

    def __len__(self) -> int:
        return len(self._offers)

    def resolve(self, name: str) -> str | None:
        """Return the offer that a name means; None when it means none or is ambiguous."""
        if name in self._offers:
            return name
        if len(name) > MAX_NAME_LENGTH:
            return None
        lower = name.lower()
        return self._lower.get(lower) or self._at_seller(lower) or self._anywhere(lower)

    def _at_seller(self, lower: str) -> str | None:
        """Read the name as `{seller}/{another spelling of what it sells}`."""
        seller, _, rest = lower.partition("/")
        if not rest or seller not in self._sellers:
            return None
        plain = f"{seller}/{spelled(seller, rest)}"
        return self._lower.get(plain) or self._aliases.get(plain)

    def _anywhere(self, lower: str) -> str | None:
        found = self._aliases.get(lower)
        # A path that no catalogue has may be anybody's model.
        return found if found or "/" in lower else self._aliases.get(spelled("", lower))


def _meanings(names: tuple[OfferName, ...]) -> dict[str, str]:
    """Return the offer of each alias, lower case; an alias keeps its most specific meaning."""
    models = _unambiguous(((name.model, name) for name in names), {})
    meanings: dict[str, str] = {}
    for layer in _layers(names):
        for alias, offer in _unambiguous(layer, models).items():
            meanings.setdefault(alias, offer)
    return meanings


def _layers(names: tuple[OfferName, ...]) -> Iterator[Iterable[tuple[str, OfferName]]]:
    yield ((name.source_key.lower(), name) for name in names if "/" in name.source_key)
    yield ((f"{name.provider}/{name.model}", name) for name in names)
    yield ((name.provider_model.lower(), name) for name in names)
    yield ((name.provider_model.lower().rpartition("/")[2], name) for name in names)
    yield ((name.model, name) for name in names)


def _unambiguous(
    pairs: Iterable[tuple[str, OfferName]], models: Mapping[str, str]
) -> dict[str, str]:
    by_alias: dict[str, list[OfferName]] = {}
    for alias, name in pairs:
        by_alias.setdefault(alias, []).append(name)
    meant = ((alias, _meant(sharing, models)) for alias, sharing in by_alias.items())
    return {alias: offer for alias, offer in meant if offer is not None}


def _meant(sharing: list[OfferName], models: Mapping[str, str]) -> str | None:
    if len({name.provider for name in sharing}) == 1:
        return max(sharing, key=_recency).offer
    own = [name for name in sharing if name.is_makers_own]
    if own:
        return max(own, key=_recency).offer
    same_model = {name.model for name in sharing}
    return models.get(same_model.pop()) if len(same_model) == 1 else None


def _recency(name: OfferName) -> tuple[bool, bool, str, str]:
    """Order offers of one model at one seller: the plain name, then the latest snapshot."""
    spelled_plainly = name.provider_model.lower() == name.model
    return (
        spelled_plainly,
        "/" not in name.provider_model and ":" not in name.provider_model,
        snapshot_of(name.provider_model),
        name.offer,
    )
