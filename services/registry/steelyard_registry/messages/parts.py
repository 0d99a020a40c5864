"""Editions of the catalogue cut into messages of bearable size."""

from collections.abc import Iterator

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_registry.domain.catalogue import Change, difference
from steelyard_registry.domain.live import Update
from steelyard_registry.messages.answers import ModelMessages, to_provider

MODELS_PER_PART = 200


def to_parts(update: Update, messages: ModelMessages) -> Iterator[pb.WatchCatalogResponse]:
    """Yield the messages of an update, at least one; the last one completes it.

    Only the last one names the version: what came before it is no version by itself.
    """
    edition, since = update.edition, update.since
    if since is None:
        change = Change(
            models=tuple(edition.models.values()), removed=(), providers=edition.providers
        )
    else:
        change = difference(since, edition)
    starts = range(0, max(len(change.models), 1), MODELS_PER_PART)
    for start in starts:
        is_first, is_last = start == 0, start == starts[-1]
        yield pb.WatchCatalogResponse(
            models=[messages.of(each) for each in change.models[start : start + MODELS_PER_PART]],
            removed_models=change.removed if is_first else (),
            providers=[to_provider(each) for each in change.providers or ()] if is_last else (),
            catalog_version=edition.version if is_last else 0,
            snapshot_start=since is None and is_first,
            snapshot_complete=is_last,
            stale=edition.is_stale,
        )
