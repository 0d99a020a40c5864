"""How many tokens a text has, estimated offline and without a vocabulary.

Fitted to a public vocabulary of 200,000 entries (`o200k_base`) on chat prompts, source code, JSON,
Markdown and one paragraph in each of 20 languages. English prompts, code, JSON and Markdown come
out within 5 % in sum, and nine of ten single texts within 20 %. Other languages are within 30 %,
but for Vietnamese (50 % too many). Vocabularies differ far more from each other there: one of
100,000 entries needs 1.2 to 3.5 times as many tokens. Four characters to a token, the usual guess,
finds a third of the tokens of a Japanese text.
"""

import math
import re

_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_DIGITS = re.compile(r"[0-9]{1,3}")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")
_LINE_BREAK = re.compile(r"\n\s*")
_SHORTEST_ENCODED = 17
_BASE64 = re.compile(rf"[A-Za-z]{{{_SHORTEST_ENCODED},}}")

_TOKENS_PER_WORD = 0.92
_TOKENS_PER_LETTER = 0.045
_TOKENS_PER_PUNCTUATION_RUN = 0.3
_TOKENS_PER_PUNCTUATION = 0.35
_TOKENS_PER_LINE_BREAK = 1.2
# Long runs of letters are no words, but keys, hashes and encoded data.
_TOKENS_PER_ENCODED_LETTER = 0.3

_TOKENS_PER_CHARACTER = (
    (re.compile(r"[\u0080-\u024f\u1e00-\u1eff]"), 0.55),  # accents, on top of their word
    (re.compile(r"[\u0370-\u03ff]"), 0.45),  # Greek
    (re.compile(r"[\u0400-\u052f]"), 0.33),  # Cyrillic
    (re.compile(r"[\u0530-\u05ff]"), 0.48),  # Armenian, Hebrew
    (re.compile(r"[\u0600-\u08ff]"), 0.45),  # Arabic and its relatives
    (re.compile(r"[\u0900-\u0dff]"), 0.42),  # scripts of India
    (re.compile(r"[\u0e00-\u0eff]"), 0.55),  # Thai, Lao
    (re.compile(r"[\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff]"), 0.75),  # Korean
    (re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"), 0.9),  # Chinese, kana
)
_TOKENS_PER_OTHER_CHARACTER = 1.2


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` is to a current model; 0 only for an empty text."""
    if not text:
        return 0
    words = _WORD.findall(text)
    marks = _PUNCTUATION.findall(text)
    tokens = (
        _TOKENS_PER_WORD * len(words)
        + _TOKENS_PER_LETTER * sum(map(len, words))
        + len(_DIGITS.findall(text))
        + _TOKENS_PER_PUNCTUATION_RUN * len(marks)
        + _TOKENS_PER_PUNCTUATION * sum(map(len, marks))
        + _TOKENS_PER_LINE_BREAK * len(_LINE_BREAK.findall(text))
        + _TOKENS_PER_ENCODED_LETTER * _encoded_letters(text, words)
    )
    if not text.isascii():
        tokens += _beyond_ascii(text)
    return max(1, math.ceil(tokens))


def _encoded_letters(text: str, words: list[str]) -> int:
    if max(map(len, words), default=0) < _SHORTEST_ENCODED:
        return 0
    return sum(map(len, _BASE64.findall(text)))


def _beyond_ascii(text: str) -> float:
    tokens, left = 0.0, sum(not character.isascii() for character in text)
    for script, tokens_per_character in _TOKENS_PER_CHARACTER:
        count = len(script.findall(text))
        tokens += tokens_per_character * count
        left -= count
    return tokens + _TOKENS_PER_OTHER_CHARACTER * left
