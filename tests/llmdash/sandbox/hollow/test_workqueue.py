"""The queue that hands out pods to workers."""

import asyncio
import time

from llmdash.sandbox.hollow.workqueue import WorkQueue


async def _next(queue: WorkQueue) -> str:
    async with queue.turn() as key:
        return key


def test_a_key_put_twice_is_handed_out_once() -> None:
    async def play() -> list[str]:
        queue = WorkQueue()
        for key in ("a", "b", "a"):
            queue.put(key)
        return [await _next(queue) for _ in range(2)]

    assert asyncio.run(play()) == ["a", "b"]


def test_a_key_in_work_is_kept_from_the_others_and_comes_again() -> None:
    async def play() -> tuple[str, str]:
        queue = WorkQueue()
        ringing = asyncio.ensure_future(queue.ring())
        queue.put("a")
        async with queue.turn():
            queue.put("a")
            queue.put("b")
            other = await _next(queue)
        again = await asyncio.wait_for(_next(queue), 5)
        ringing.cancel()
        return other, again

    assert asyncio.run(play()) == ("b", "a")


def test_keys_come_when_they_are_due_soonest_first() -> None:
    async def play() -> list[str]:
        queue = WorkQueue()
        ringing = asyncio.ensure_future(queue.ring())
        await asyncio.sleep(0)
        now = time.time()
        queue.put_at("late", now + 0.08)
        queue.put_at("soon", now + 0.02)
        queue.put_at("never", float("inf"))
        found = [await asyncio.wait_for(_next(queue), 5) for _ in range(2)]
        ringing.cancel()
        return found

    assert asyncio.run(play()) == ["soon", "late"]
