"""Which kind of work an entry sells, in the words of LiteLLM's map.

The map says `chat` of some models that write no text. Such a claim falls to evidence of two kinds:

- what the entry itself says it puts out, when text is not among it;
- a whole word of the model's name that no chat model has. In the map of 2026-10-21, of 57 names
  with `embed` the 53 that are not `chat` are all `embedding`; the others have limits of zero tokens
  and are `embedding` at other sellers. Of 33 names with `flux` 30 make or edit images; the others
  are one seller's, which sells the same weights with `-fp8` as `image_generation`.

A missing token limit is no evidence: 120 chat models of that map have none. Nor is a low price.
"""

import re
from collections.abc import Sequence

CHAT = "chat"
OTHER = "other"
"""Not a word of the map's: a kind of work that has none."""

_BY_OUTPUT = {
    "audio": "audio_speech",
    "embeddings": "embedding",
    "image": "image_generation",
    "video": "video_generation",
}
_BY_WORD = {"embed": "embedding", "flux": "image_generation"}
_SEPARATORS = re.compile(r"[^a-z0-9]+", re.ASCII)


def mode_of_outputs(outputs: Sequence[str]) -> str:
    """Return the mode of a model that puts out `outputs`; it chats when they are not told."""
    if not outputs or "text" in outputs:
        return CHAT
    return next((_BY_OUTPUT[each] for each in outputs if each in _BY_OUTPUT), OTHER)


def checked_mode(claimed: str, *, provider_model: str, outputs: Sequence[str]) -> str:
    """Return the claimed mode, or what the evidence says instead of `chat`."""
    if claimed != CHAT:
        return claimed
    name = provider_model.rpartition("/")[2].lower()
    named = (_BY_WORD[word] for word in _SEPARATORS.split(name) if word in _BY_WORD)
    return next(named, mode_of_outputs(outputs))
