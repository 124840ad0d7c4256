"""Signals while a job runs in the foreground."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from sideshoot.jobs.interrupts import SIGNALS, Interrupts, shielded


def test_the_first_signal_and_further_ones() -> None:
    first, further = threading.Event(), threading.Event()
    with Interrupts(first.set, further.set) as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        assert first.wait(60)
        assert not further.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert further.wait(60)
    assert interrupts.seen is signal.SIGTERM


def test_afterwards_all_is_as_it_was() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    threads = threading.active_count()
    with Interrupts(lambda: None, lambda: None):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads


def test_a_signal_that_the_kernel_gives_to_another_thread() -> None:
    asked, over = threading.Event(), threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    with Interrupts(asked.set, asked.set):
        # As while a process is started: then the main thread has all signals blocked.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked.wait(60)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    over.set()
    other.join(60)


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked = threading.Event()
    with Interrupts(asked.set, asked.set):
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked.wait(60)
    signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_is_turned() -> None:
    def run() -> None:
        with Interrupts(lambda: None, lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    seen: list[object] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_a_shield_covers_what_is_started_under_it() -> None:
    script = "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    with shielded():
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
        )
    for number in SIGNALS:
        assert repr(number) in done.stdout
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
