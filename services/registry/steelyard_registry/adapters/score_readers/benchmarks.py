"""What the benchmarks of llm-stats measure.

Left out on purpose, because they measure something else than how well a model answers:

- Work with tools, screens and the web: tau-bench, tau2, BFCL, Nexus, BrowseComp, OSWorld,
  ScreenSpot, ComplexFuncBench, Android control.
- Truthfulness and safety: TruthfulQA, FACTS Grounding, XSTest, AttaQ, HealthBench.
- Translation, one language or culture: WMT, FLEURS, INCLUDE, ECLeKTic, C-Eval, CSimpleQA.
- Video and sound: EgoSchema, Video-MME, MVBench, CoVoST.
- Summaries, which are measured as likeness to one text: SQuALITY, QMSum, GovReport.
- Easy questions for small base models: PIQA, BoolQ, Social IQa, OpenBookQA, ARC-E.

Left out because the column mixes scales or ways of running: MT-Bench (of 10 and of 100), MME (a
sum), CodeForces (with and without tools), CFEval, SWE-bench with many attempts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from steelyard_registry.domain.quality.scores import Task


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one benchmark is, whatever the source calls it."""

    metric: str
    task: Task


# One benchmark a line: the metric, then further ids that the source has for the same questions.
_GENERAL = """
agieval
alpacaeval-2.0
arena-hard
arena-hard-v2
collie
global-mmlu
global-mmlu-lite
ifeval
livebench
livebench-20241125
mmlu
mmlu-pro
mmlu-prox
mmlu-redux
mmmlu
multi-if
multichallenge
natural-questions nq
simpleqa
triviaqa
wild-bench
"""
_REASONING = """
arc-agi
arc-agi-v2
arc-c
autologi
big-bench-extra-hard
big-bench-hard bbh
drop
gpqa
hellaswag
hle humanity's-last-exam
musr
supergpqa
winogrande
zebralogic
"""
_MATH = """
aime-2024
aime-2025
amc-2022-23
cnmo-2024
frontiermath
functionalmath
gsm8k gsm-8k-(cot)
hiddenmath
hmmt-2025 hmmt25
math math-(cot)
math-500
mgsm multilingual-mgsm-(cot)
olympiadbench
omnimath
polymath
theoremqa
usamo-2025 usamo25
"""
_CODING = """
aider
aider-polyglot
aider-polyglot-edit
bigcodebench
bird-sql bird-sql-(dev)
evalplus
humaneval
humaneval-plus humaneval+
livecodebench
livecodebench-v5
livecodebench-v6
mbpp
mbpp-plus mbpp+
multipl-e
natural2code
ojbench
scicode
swe-bench-multilingual
swe-bench-verified swe-bench-verified-(agentic-coding)
swe-lancer
swe-lancer-ic-diamond swe-lancer-(ic-diamond-subset)
terminal-bench
"""
_VISION = """
ai2d
blink
chartqa
charxiv-d
charxiv-r
docvqa docvqatest
hallusion-bench
infovqa infovqatest infographicsqa
mathvision
mathvista mathvista-mini
mmbench mmbench-test
mmbench-v1.1
mmmu mmmu-(val) mmmu-(validation) mmmuval
mmmu-pro
mmstar
mmt-bench
mmvet
muirbench
ocrbench
realworldqa
textvqa
vibe-eval
vqav2 vqav2-(test) vqav2-(val)
"""
_LONG_CONTEXT = """
graphwalks-bfs-above-128k graphwalks-bfs->128k
graphwalks-bfs-below-128k graphwalks-bfs-<128k
graphwalks-parents-above-128k graphwalks-parents->128k
graphwalks-parents-below-128k graphwalks-parents-<128k
infinitebench-choice infinitebench-en.mc
infinitebench-questions infinitebench-en.qa
longbench
longbench-v2
mrcr
mrcr-1m
mrcr-v2
nih-multi-needle
openai-mrcr-2-needle-128k openai-mrcr:-2-needle-128k
openai-mrcr-2-needle-1m openai-mrcr:-2-needle-1m
openai-mrcr-2-needle-256k openai-mrcr:-2-needle-256k
ruler
"""


def known_benchmarks() -> Mapping[str, Benchmark]:
    """Return the benchmarks that we use, by the source's ids for them."""
    tables = {
        Task.GENERAL: _GENERAL,
        Task.REASONING: _REASONING,
        Task.MATH: _MATH,
        Task.CODING: _CODING,
        Task.VISION: _VISION,
        Task.LONG_CONTEXT: _LONG_CONTEXT,
    }
    return {
        name: Benchmark(names[0], task)
        for task, table in tables.items()
        for names in map(str.split, table.splitlines())
        for name in names
    }
