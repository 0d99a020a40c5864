"""The router's copy of the catalogue: what is taken over, and what is not worked out again."""

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_router.adapters.catalog_copy import OFFERS_PER_SLICE, CatalogCopy
from tests.router.builders import a_model, a_provider

PROVIDERS = [a_provider("openai"), a_provider("groq")]


def taken(part: pb.WatchCatalogResponse, known: CatalogCopy | None = None) -> CatalogCopy:
    """Return a copy that has a message on top of what is known, or nothing but the message."""
    known = known or CatalogCopy()
    copy = CatalogCopy() if part.snapshot_start else known.clone()
    for _ in copy.take(part, known):
        pass
    return copy


def whole(*models: model_pb2.Model, version: int = 1) -> pb.WatchCatalogResponse:
    return pb.WatchCatalogResponse(
        models=models,
        providers=PROVIDERS,
        catalog_version=version,
        snapshot_start=True,
        snapshot_complete=True,
    )


def change(*models: model_pb2.Model, removed: tuple[str, ...] = ()) -> pb.WatchCatalogResponse:
    return pb.WatchCatalogResponse(
        models=models, removed_models=removed, catalog_version=2, snapshot_complete=True
    )


SMALL = a_model("gpt-small", "openai", "groq", quality=80, aliases=["small"])
LARGE = a_model("gpt-large", "openai", quality=95)


def test_a_changed_model_is_converted_and_no_other() -> None:
    first = taken(whole(SMALL, LARGE))
    before = first.catalog()

    copy = taken(change(a_model("gpt-large", "openai", quality=70)), first)
    after = copy.renewed(before)

    assert copy.has_names_of(first)
    assert after.by_id["openai/gpt-large"].quality.score == 70
    assert after.by_id["groq/gpt-small"] is before.by_id["groq/gpt-small"]
    assert before.by_id["openai/gpt-large"].quality.score == 95


def test_a_whole_catalogue_from_another_registry_converts_only_what_differs() -> None:
    first = taken(whole(SMALL, LARGE))
    before = first.catalog()

    copy = taken(whole(SMALL, a_model("gpt-large", "openai", quality=70), version=9), first)
    after = copy.renewed(before)

    assert after.version == 9
    assert after.by_id["openai/gpt-small"] is before.by_id["openai/gpt-small"]
    assert after.by_id["openai/gpt-large"].quality.score == 70


def test_a_renewed_catalogue_is_the_one_that_is_made_anew() -> None:
    first = taken(whole(LARGE, SMALL))
    copy = taken(change(a_model("gpt-large", "openai", quality=70)), first)

    renewed, anew = copy.renewed(first.catalog()), copy.catalog()

    assert renewed.offers == anew.offers == tuple(renewed.by_id.values())
    assert renewed.by_id == anew.by_id
    assert renewed.providers == anew.providers
    assert [renewed.names.find(name) for name in ("small", "GPT-Small", "gpt-large", "x")] == [
        anew.names.find(name) for name in ("small", "GPT-Small", "gpt-large", "x")
    ]


def test_another_name_needs_another_index() -> None:
    first = taken(whole(SMALL, LARGE))
    another_alias = a_model("gpt-small", "openai", "groq", aliases=["little"])
    another_seller = a_model("gpt-large", "groq")

    for part in (
        change(another_alias),
        change(another_seller),
        change(a_model("gpt-new", "groq")),
        change(removed=("gpt-large",)),
    ):
        assert not taken(part, first).has_names_of(first)


def test_what_is_kept_on_disk_gives_the_same_catalogue() -> None:
    copy = taken(change(a_model("gpt-large", "openai", quality=70)), taken(whole(SMALL, LARGE)))

    kept = taken(pb.WatchCatalogResponse.FromString(copy.snapshot()))

    assert kept.version == copy.version == 2
    assert kept.catalog().offers == copy.catalog().offers
    assert kept.catalog().providers == copy.catalog().providers


def test_taking_over_many_models_pauses_in_between() -> None:
    models = [a_model(f"model-{number}", "openai") for number in range(4 * OFFERS_PER_SLICE)]
    copy = CatalogCopy()

    assert 3 <= len(list(copy.take(whole(*models), CatalogCopy()))) <= 6
    known = len(list(CatalogCopy().take(whole(*models), copy)))
    assert known <= 1
