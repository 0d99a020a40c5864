"""Token estimates, against counts of a public vocabulary (o200k_base)."""

import pytest

from steelyard_common.tokens import estimate_tokens

RIGHTS = {
    "English": (
        (
            "All human beings are born free and equal in dignity and rights. They are endowed with"
            " reason and conscience and should act towards one another in a spirit of brotherhood."
        ),
        33,
    ),
    "German": (
        (
            "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft"
            " und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen."
        ),
        38,
    ),
    "Russian": (
        (
            "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены"  # noqa: RUF001
            " разумом и совестью и должны поступать в отношении друг друга в духе братства."
        ),
        41,
    ),
    "Japanese": (
        (
            "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"
            "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。"
        ),
        71,
    ),
    "Korean": (
        (
            "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로"
            " 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다."
        ),
        51,
    ),
    "Hebrew": (
        (
            "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון,"
            " לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה."
        ),
        50,
    ),
}


@pytest.mark.parametrize("language", RIGHTS)
def test_an_estimate_is_within_a_third_in_every_script(language: str) -> None:
    text, tokens = RIGHTS[language]

    assert estimate_tokens(text) == pytest.approx(tokens, rel=1 / 3)


def test_only_the_empty_text_has_no_tokens() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(" ") == 1


def test_long_runs_of_letters_are_no_single_word() -> None:
    assert estimate_tokens("a" * 4000) > 800


def test_more_text_is_never_fewer_tokens() -> None:
    text = "".join(RIGHTS[language][0] for language in RIGHTS)

    counts = [estimate_tokens(text[:end]) for end in range(0, len(text), 7)]

    assert counts == sorted(counts)


def test_lone_surrogates_and_control_characters_are_counted() -> None:
    assert estimate_tokens("\ud800\x00\u200b") >= 2
