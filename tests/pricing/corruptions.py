"""Ways in which a feed goes wrong, injected into a real one: the same ones in every run."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Map = dict[str, dict[str, Any]]

INPUT, OUTPUT = "input_cost_per_token", "output_cost_per_token"
CACHE_READ = "cache_read_input_token_cost"
FIGURES = (INPUT, OUTPUT, CACHE_READ)
ENTRY_FAULTS = 120
CUTS = 50


@dataclass(frozen=True, slots=True)
class Corruption:
    """A body that went wrong, and which entry of it did."""

    name: str
    body: bytes
    entry: str = ""
    """Empty where the body is wrong as a whole."""


def corruptions(whole: bytes, part: Map, *, seed: int) -> Iterator[Corruption]:
    """Return some 200 corruptions.

    Args:
        whole: The newest map.
        part: Some hundred of its entries: faults of one entry are put there, for speed.
        seed: Makes the choice repeatable.
    """
    choice = random.Random(seed)  # noqa: S311 - not for secrets
    yield from _of_entries(part, choice)
    yield from _cut_off(whole, choice)
    entries: Map = json.loads(whole)
    for name, change in _WHOLE.items():
        yield Corruption(name, change(whole, json.loads(whole), choice))
    providers = sorted({entry.get("litellm_provider", "") for entry in entries.values()})
    counted = {
        provider: sum(entry.get("litellm_provider", "") == provider for entry in entries.values())
        for provider in providers
    }
    for provider in sorted(providers, key=counted.__getitem__, reverse=True)[:10]:
        left = {
            key: entry
            for key, entry in entries.items()
            if entry.get("litellm_provider", "") != provider
        }
        yield Corruption(f"{provider} gone", json.dumps(left).encode())


def _of_entries(part: Map, choice: random.Random) -> Iterator[Corruption]:
    priced = [key for key, entry in part.items() if _is_plain(entry)]
    cached = [key for key in priced if part[key].get(CACHE_READ)]
    faults = list(_ENTRY.items())
    for number in range(ENTRY_FAULTS):
        name, change = faults[number % len(faults)]
        key = choice.choice(cached if "cache" in name else priced)
        changed = json.loads(json.dumps(part))
        change(changed[key], choice)
        yield Corruption(f"{name}: {key}", json.dumps(changed).encode(), key)


def _is_plain(entry: dict[str, Any]) -> bool:
    prices = entry.get(INPUT), entry.get(OUTPUT)
    is_chat = entry.get("mode") == "chat"
    return bool(is_chat and all(prices) and prices[0] != prices[1])


def _cut_off(whole: bytes, choice: random.Random) -> Iterator[Corruption]:
    for _ in range(CUTS):
        offset = choice.randrange(1, len(whole) - 2)
        yield Corruption(f"cut off at {offset}", whole[:offset])


def _scaled(factor: float, field: str = "") -> Callable[[dict[str, Any], random.Random], None]:
    def change(entry: dict[str, Any], choice: random.Random) -> None:
        named = [name for name in FIGURES if entry.get(name)]
        name = field or choice.choice(named)
        entry[name] *= factor

    return change


def _set(value: object, *fields: str) -> Callable[[dict[str, Any], random.Random], None]:
    def change(entry: dict[str, Any], _choice: random.Random) -> None:
        for field in fields:
            entry[field] = value

    return change


def _swapped(entry: dict[str, Any], _choice: random.Random) -> None:
    entry[INPUT], entry[OUTPUT] = entry[OUTPUT], entry[INPUT]


def _dropped(*fields: str) -> Callable[[dict[str, Any], random.Random], None]:
    def change(entry: dict[str, Any], _choice: random.Random) -> None:
        for field in fields:
            del entry[field]

    return change


_ENTRY: dict[str, Callable[[dict[str, Any], random.Random], None]] = {
    "a thousand times dearer": _scaled(1e3),
    "a thousand times cheaper": _scaled(1e-3),
    "swapped": _swapped,
    "input zeroed": _set(0, INPUT),
    "output zeroed": _set(0, OUTPUT),
    "all zeroed": _set(0, *FIGURES),
    "cache price dropped": _dropped(CACHE_READ),
    "cache price a thousand times dearer": _scaled(1e3, CACHE_READ),
    "a text": _set("cheap", INPUT),
    "a negative": _set(-1, OUTPUT),
    "a list": _set([1, 2], INPUT),
    "both gone": _dropped(INPUT, OUTPUT),
}


def _every(change: Callable[[dict[str, Any]], None]) -> Callable[..., bytes]:
    def changed(_body: bytes, entries: Map, _choice: random.Random) -> bytes:
        for entry in entries.values():
            if entry.get(INPUT) and entry.get(OUTPUT):
                change(entry)
        return json.dumps(entries).encode()

    return changed


def _kept(share: float) -> Callable[..., bytes]:
    def changed(_body: bytes, entries: Map, choice: random.Random) -> bytes:
        keys = choice.sample(sorted(entries), int(len(entries) * share))
        return json.dumps({key: entries[key] for key in keys}).encode()

    return changed


def _some_scaled(_body: bytes, entries: Map, choice: random.Random) -> bytes:
    priced = [key for key, entry in entries.items() if entry.get(INPUT)]
    for key in choice.sample(priced, len(priced) // 5):
        entries[key][INPUT] *= 1.3
    return json.dumps(entries).encode()


_WHOLE: dict[str, Callable[..., bytes]] = {
    "all a thousand times dearer": _every(lambda entry: entry.update({INPUT: entry[INPUT] * 1e3})),
    "all a thousand times cheaper": _every(
        lambda entry: entry.update({INPUT: entry[INPUT] / 1e3, OUTPUT: entry[OUTPUT] / 1e3})
    ),
    "all per million": _every(lambda entry: entry.update({INPUT: entry[INPUT] * 1e6})),
    "all 6 % dearer": _every(lambda entry: entry.update({INPUT: entry[INPUT] * 1.06})),
    "all swapped": _every(lambda entry: entry.update({INPUT: entry[OUTPUT], OUTPUT: entry[INPUT]})),
    "all zeroed": _every(lambda entry: entry.update({INPUT: 0, OUTPUT: 0})),
    "all negative": _every(lambda entry: entry.update({INPUT: -1, OUTPUT: -1})),
    "all texts": _every(lambda entry: entry.update({INPUT: "x", OUTPUT: "x"})),
    "all null": _every(lambda entry: entry.update({INPUT: None, OUTPUT: None})),
    "a fifth 30 % dearer": _some_scaled,
    "60 % of rows gone": _kept(0.4),
    "10 % of rows gone": _kept(0.9),
    "not a number": lambda body, _entries, _choice: body.replace(b"1e-06", b"NaN", 1),
    "infinite": lambda body, _entries, _choice: body.replace(b"1e-06", b"Infinity", 1),
    "100,000 deep": lambda _body, _entries, _choice: b"[" * 100_000 + b"]" * 100_000,
    "a deep entry": lambda _body, _entries, _choice: b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
    "empty": lambda _body, _entries, _choice: b"{}",
    "a web page": lambda _body, _entries, _choice: b"<html>please log in</html>",
    "another object": lambda _body, _entries, _choice: b'{"error": {"message": "rate limited"}}',
    "twice": lambda body, _entries, _choice: body + body,
}
