"""The last good copy survives kills, full disks, races and damage."""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from steelyard_common.errors import StorageFullError
from steelyard_common.feed import FeedCopy
from steelyard_common.last_good import LastGoodStore
from tests.fakes import START


def a_copy(body: bytes = b"{}") -> FeedCopy:
    return FeedCopy(
        url="https://example.org/prices.json",
        body=body,
        sha256=sha256(body).hexdigest(),
        etag='"v1"',
        last_modified=None,
        fetched_time=START,
        checked_time=START,
    )


@pytest.fixture
def store(tmp_path: Path) -> LastGoodStore:
    return LastGoodStore(tmp_path / "feeds")


def files(tmp_path: Path) -> list[str]:
    """Return what lies around, locks aside."""
    names = (path.name for path in (tmp_path / "feeds").iterdir())
    return sorted(name for name in names if not name.endswith(".lock"))


async def test_nothing_is_there_before_the_first_commit(store: LastGoodStore) -> None:
    assert await store.load("litellm") is None


async def test_what_was_committed_is_loaded(store: LastGoodStore) -> None:
    await store.commit("litellm", a_copy(b'{"a": 1}'))

    assert await store.load("litellm") == a_copy(b'{"a": 1}')
    assert await store.load("openrouter") is None


async def test_a_commit_replaces_the_pair_and_leaves_nothing_behind(
    store: LastGoodStore, tmp_path: Path
) -> None:
    await store.commit("litellm", a_copy(b"[1]"))
    await store.commit("litellm", a_copy(b"[2]"))

    assert await store.load("litellm") == a_copy(b"[2]")
    assert len(files(tmp_path)) == 2


async def test_a_confirmed_copy_remembers_when(store: LastGoodStore) -> None:
    await store.commit("litellm", a_copy())
    later = START + timedelta(hours=5)

    confirmed = await store.confirm("litellm", a_copy(), later)

    assert confirmed == replace(a_copy(), checked_time=later)
    assert await store.load("litellm") == confirmed


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".body", b""),
        (".body", b"[1"),
        (".body", b"[2]"),
        (".json", b""),
        (".json", b"{"),
        (".json", b"null"),
        (".json", b"\xff\xfe"),
        (".json", b'{"sha256": "../../etc/passwd"}'),
    ],
)
async def test_a_damaged_pair_is_ignored_and_can_be_replaced(
    store: LastGoodStore, tmp_path: Path, suffix: str, content: bytes
) -> None:
    await store.commit("litellm", a_copy(b"[1]"))
    damaged = next(name for name in files(tmp_path) if name.endswith(suffix))
    (tmp_path / "feeds" / damaged).write_bytes(content)

    assert await store.load("litellm") is None
    await store.commit("litellm", a_copy(b"[1]"))
    assert await store.load("litellm") == a_copy(b"[1]")


async def test_a_sidecar_that_points_elsewhere_is_ignored(
    store: LastGoodStore, tmp_path: Path
) -> None:
    await store.commit("litellm", a_copy(b"[1]"))
    sidecar = tmp_path / "feeds" / "litellm.json"
    sidecar.write_bytes(sidecar.read_bytes().replace(a_copy(b"[1]").sha256.encode(), b"../../x"))

    assert await store.load("litellm") is None


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "A"])
async def test_a_name_that_is_a_path_is_refused(store: LastGoodStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await store.commit(name, a_copy())


async def test_p10_concurrent_commits_leave_one_whole_pair(
    store: LastGoodStore, tmp_path: Path
) -> None:
    copies = [a_copy(b"[%d]" % number) for number in range(20)]

    await asyncio.gather(*(store.commit("litellm", copy) for copy in copies))

    assert await store.load("litellm") in copies
    assert len(files(tmp_path)) == 2


async def test_p10_a_reader_never_sees_half_a_pair(store: LastGoodStore) -> None:
    copies = [a_copy(b"[%d]" % number) for number in range(2)]
    await store.commit("litellm", copies[0])

    async def write() -> None:
        for number in range(40):
            await store.commit("litellm", copies[number % 2])

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await store.load("litellm") in copies
    await writing


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.common.test_last_good import a_copy
from steelyard_common.last_good import LastGoodStore

async def main():
    store = LastGoodStore(Path(sys.argv[1]))
    bodies = [b"[1]" * 50_000, b"[2]" * 50_000]
    for number in range(10_000):
        await store.commit("litellm", a_copy(bodies[number % 2]))
        print(number, flush=True)

asyncio.run(main())
"""

FULL_DISK_CHILD = """
import asyncio, resource, sys
from pathlib import Path
from tests.common.test_last_good import a_copy
from steelyard_common.errors import StorageFullError
from steelyard_common.last_good import LastGoodStore

resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # as if 2,000 bytes were left
store = LastGoodStore(Path(sys.argv[1]))
try:
    asyncio.run(store.commit("litellm", a_copy(b"[2]" * 5_000)))
except StorageFullError:
    sys.exit(42)
"""

ROOT = Path(__file__).parents[2]


@pytest.mark.system
@pytest.mark.parametrize("commits", [1, 2, 3, 7, 12])
async def test_p10_a_kill_at_any_time_leaves_a_whole_pair(
    store: LastGoodStore, tmp_path: Path, commits: int
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        str(tmp_path / "feeds"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    for _ in range(commits):
        await child.stdout.readline()
    child.kill()
    await child.communicate()

    assert await store.load("litellm") in [a_copy(b"[1]" * 50_000), a_copy(b"[2]" * 50_000)]
    await store.commit("litellm", a_copy())
    assert len(files(tmp_path)) == 2


@pytest.mark.system
async def test_c7_a_full_disk_leaves_the_old_pair(store: LastGoodStore, tmp_path: Path) -> None:
    await store.commit("litellm", a_copy(b"[1]"))

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL_DISK_CHILD, str(tmp_path / "feeds"), cwd=ROOT
    )

    assert await child.wait() == 42
    assert await store.load("litellm") == a_copy(b"[1]")
    assert len(files(tmp_path)) == 2


def test_a_full_disk_is_an_error_that_callers_may_see() -> None:
    assert "no room" in str(StorageFullError())
