"""Words and phrases that tell what kind of work a prompt asks for.

Only words that are rare outside their trade: `class`, `let`, `import`, `public` or `scale` occur in
everyday prompts and say nothing. A class counts once however many of its words occur.
"""

import re
from dataclasses import dataclass, field

# The task is stated at the beginning or at the end; what lies between is material.
HEAD_CHARACTERS = 4_000
TAIL_CHARACTERS = 2_000
# So much text in a script that the lists hardly cover is a request, not small talk.
FOREIGN_SCRIPT_LETTERS = 40
_LONG_WORD_LETTERS = 24

# `+`, `#` and `_` are parts of words: c++, c#, snake_case.
_SEPARATORS = str.maketrans(dict.fromkeys("!\"$%&'()*,-./:;<=>?@[\\]^`{|}~\u2019\u2014\u2026", " "))
_REPEATED_UNIT = re.compile(r"(.{2,12}?)\1+")
_FOREIGN_LETTER = re.compile(r"[\u0370-\u1dff\u2c00-\ufdff]")


@dataclass(frozen=True, slots=True)
class KeywordClass:
    """One kind of evidence with its points."""

    name: str
    points: int
    words: frozenset[str]
    phrases: tuple[str, ...] = ()
    """Words with one space between and around; compared with the prompt's words."""
    fragments: tuple[str, ...] = ()
    """Texts that count wherever they stand: scripts that write no spaces, and symbols."""


@dataclass(frozen=True, slots=True)
class PromptWords:
    """The words of a prompt, looked at once for all classes."""

    text: str
    words: frozenset[str]
    line: str = field(repr=False)

    @classmethod
    def of(cls, prompt: str) -> "PromptWords":
        text = _ends(prompt).lower()
        found = [
            word if len(word) < _LONG_WORD_LETTERS else _unit(word)
            for word in text.translate(_SEPARATORS).split()
        ]
        return cls(text, frozenset(found), f" {' '.join(found)} ")

    @property
    def foreign_letter_count(self) -> int:
        return 0 if self.text.isascii() else len(_FOREIGN_LETTER.findall(self.text))

    def evidence(self, keywords: KeywordClass) -> str | None:
        """Return a word or phrase of a class, None when it has none here."""
        if hit := self.words & keywords.words:
            return min(hit)
        for phrase in keywords.phrases:
            if phrase in self.line:
                return phrase.strip()
        # Symbols are rare: most prompts need not be searched for them.
        if self.text.isascii() and "\\" not in self.text:
            return None
        return next((each for each in keywords.fragments if each in self.text), None)


def _ends(prompt: str) -> str:
    if len(prompt) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return prompt
    return f"{prompt[:HEAD_CHARACTERS]}\n{prompt[-TAIL_CHARACTERS:]}"


def _unit(word: str) -> str:
    """Return what a run without spaces repeats: `hellohellohello...` says hello."""
    match = _REPEATED_UNIT.fullmatch(word)
    return match.group(1) if match else word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(*phrases: str) -> tuple[str, ...]:
    return tuple(f" {phrase} " for phrase in phrases)


SIMPLE = KeywordClass(
    "simple_keywords",
    -2,
    _words(
        """
        hello hi hey thanks goodbye bye greetings translate spell synonym rhyme bonjour merci
        hola gracias hallo danke ciao
        """
    ),
    _phrases(
        "thank you",
        "good morning",
        "good evening",
        "how are you",
        "who is",
        "who was",
        "when was",
        "where is",
        "capital of",
        "what time",
        "what day",
        "yes or no",
        "one word",
        "quick question",
        "tell me a joke",
    ),
    ("こんにちは", "ありがとう", "你好", "谢谢", "안녕"),
)
MODERATE = KeywordClass(
    "moderate_keywords",
    1,
    _words(
        """
        explain explains describe summarize summarise summary compare outline rewrite rephrase
        paraphrase elaborate evaluate recommend brainstorm erkläre erklären beschreibe
        vergleiche explique expliquer résume explica explicar compara объясни сравни
        """
    ),
    _phrases(
        "in detail",
        "step by step",
        "pros and cons",
        "difference between",
        "differences between",
        "give examples",
        "how does",
        "why does",
    ),
    ("説明", "比較", "要約", "解释", "说明", "比较", "总结", "설명", "비교"),
)
TECHNICAL = KeywordClass(
    "technical_keywords",
    3,
    _words(
        """
        theorem lemma corollary proof prove integral derivative eigenvalue eigenvector
        polynomial topology bayesian stochastic logarithm combinatorics thermodynamics
        electromagnetism stoichiometry pharmacokinetics genome kubernetes docker postgres
        postgresql mysql redis terraform tcp tls dns oauth encryption cryptography kernel
        middleware latency throughput statute jurisdiction plaintiff tort amortization beweis
        théorème
        """
    ),
    _phrases(
        "differential equation",
        "differential equations",
        "standard deviation",
        "linear algebra",
        "quantum mechanics",
        "machine learning",
        "neural network",
        "neural networks",
        "case law",
        "time complexity",
        "load balancer",
        "balance sheet",
        "confidence interval",
        "hypothesis test",
    ),
    (
        *("∀", "∃", "∑", "∏", "∫", "√", "∈", "∉", "⊂", "⊆", "∂", "∇", "⇒", "⇔", "∞", "≡"),
        *("\\frac", "\\int", "\\sum", "\\sqrt", "\\forall"),
        *("証明", "定理", "積分", "微分", "民法", "法律", "法的", "契約", "判例", "損害賠償"),
        *("证明", "积分", "合同", "法院", "증명", "법률", "계약"),
    ),
)
CODE = KeywordClass(
    "code_keywords",
    3,
    _words(
        """
        python javascript typescript kotlin golang c++ c# sql regex html css bash powershell
        pandas numpy django fastapi reactjs nodejs webpack pytest traceback segfault compiler
        refactor refactoring debug debugging codebase linter stacktrace dockerfile
        """
    ),
    _phrases(
        "write a function",
        "write a program",
        "write a script",
        "write a class",
        "implement a function",
        "a function that",
        "function that returns",
        "this function",
        "recursive function",
        "shell script",
        "source code",
        "this code",
        "my code",
        "unit test",
        "unit tests",
        "stack trace",
        "null pointer",
        "pull request",
        "merge conflict",
        "api endpoint",
        "in rust",
        "in java",
    ),
    ("関数", "コードを", "函数", "代码", "함수"),
)
ADVANCED = KeywordClass(
    "advanced_keywords",
    5,
    _words(
        """
        microservices metatheorem byzantine axiomatic
        """
    ),
    _phrases(
        "prove that",
        "formal proof",
        "rigorous proof",
        "distributed system",
        "distributed systems",
        "system design",
        "design a system",
        "software architecture",
        "from first principles",
        "fault tolerant",
        "consensus protocol",
        "race condition",
        "root cause analysis",
        "threat model",
        "np hard",
        "np complete",
        "zero knowledge",
        "literature review",
        "research proposal",
        "multi step plan",
        "optimal strategy",
    ),
)
CLASSES = (SIMPLE, MODERATE, TECHNICAL, CODE, ADVANCED)
